package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"
)

// repositorySurvey is what a repository holds.
type repositorySurvey struct {
	name      string
	manifests map[digest.Digest]*manifest
	tags      map[digest.Digest][]string // those that name it now
	history   map[digest.Digest][]string // those that have ever named it
	links     []blobLink
}

type manifest struct {
	Reference
	used    time.Time // pushed, or asked for
	refers  []digest.Digest
	subject digest.Digest // what it was pushed about, as a signature; may be empty
}

// blobLink lets a repository have a blob.
type blobLink struct {
	path   string
	digest digest.Digest // as it was pushed
	target digest.Digest // of the blob: the same, or its SHA-256
}

// survey reads what is there, and makes nothing young. What vanishes meanwhile
// is left out.
func (c *collection) survey(ctx context.Context) ([]*repositorySurvey, error) {
	dirs, err := descend(c.repositoriesDir(), 4)
	if err != nil {
		return nil, err
	}
	var all []*repositorySurvey
	for _, dir := range dirs {
		name, err := filepath.Rel(c.repositoriesDir(), dir)
		if err != nil {
			return nil, err
		}
		one, err := c.surveyRepository(ctx, filepath.ToSlash(name))
		if err != nil {
			return nil, fmt.Errorf("survey repository %s: %w", name, err)
		}
		all = append(all, one)
	}
	return all, nil
}

func (c *collection) surveyRepository(ctx context.Context, name string) (*repositorySurvey, error) {
	s := &repositorySurvey{
		name: name, manifests: map[digest.Digest]*manifest{},
		tags: map[digest.Digest][]string{}, history: map[digest.Digest][]string{},
	}
	return s, errors.Join(c.surveyManifests(ctx, s), c.surveyTags(s), c.surveyLinks(s))
}

func (c *collection) surveyManifests(ctx context.Context, s *repositorySurvey) error {
	entries, err := os.ReadDir(c.revisionsDir(s.name))
	if err != nil {
		return unlessGone(err)
	}
	for _, e := range entries {
		d := digest.NewDigestFromEncoded(digest.SHA256, e.Name())
		m := &manifest{Reference: Reference{s.name, d.String()}}
		info, err := os.Stat(c.revisionLink(m.Reference))
		if err != nil || d.Validate() != nil {
			if err := unlessGone(err); err != nil {
				return err
			}
			continue
		}
		m.used = info.ModTime()
		if err := c.parse(ctx, m); err != nil {
			return err
		}
		s.manifests[d] = m
	}
	return nil
}

// parse reads what the manifest refers to, which is nothing where its blob is
// gone. What is there and cannot be read ends the collection: nobody knows
// what it needs.
func (c *collection) parse(ctx context.Context, m *manifest) error {
	if known, ok := c.parsed[m.Digest]; ok {
		m.refers, m.subject = known.refers, known.subject
		return nil
	}
	manifests, wanted, err := c.manifests(ctx, m.Repository, m.Digest)
	if err != nil {
		return err
	}
	read, err := manifests.Get(ctx, wanted)
	if err = orNotFound(err); errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read manifest %s: %w", m.Digest, err)
	}
	_, body, err := read.Payload()
	if err != nil {
		return fmt.Errorf("read manifest %s: %w", m.Digest, err)
	}
	var about struct {
		Subject struct {
			Digest digest.Digest `json:"digest"`
		} `json:"subject"`
	}
	if err := json.Unmarshal(body, &about); err != nil {
		return fmt.Errorf("read manifest %s: %w", m.Digest, err)
	}
	m.refers, m.subject = references(read), about.Subject.Digest
	c.parsed[m.Digest] = m
	return nil
}

func (c *collection) surveyTags(s *repositorySurvey) error {
	entries, err := os.ReadDir(c.tagsDir(s.name))
	if err != nil {
		return unlessGone(err)
	}
	for _, e := range entries {
		d, err := readLink(c.tagLink(s.name, e.Name()))
		if err != nil {
			return err
		}
		s.tags[d] = append(s.tags[d], e.Name())
		past, err := os.ReadDir(filepath.Join(c.tagsDir(s.name), e.Name(), "index", string(digest.SHA256)))
		if unlessGone(err) != nil {
			return err
		}
		for _, p := range past {
			was := digest.NewDigestFromEncoded(digest.SHA256, p.Name())
			s.history[was] = append(s.history[was], e.Name())
		}
	}
	return nil
}

func (c *collection) surveyLinks(s *repositorySurvey) error {
	dirs, err := descend(c.layersDir(s.name), 2)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		l := blobLink{path: filepath.Join(dir, "link"), digest: digestOfDir(dir)}
		if l.target, err = readLink(l.path); err != nil {
			return err
		}
		s.links = append(s.links, l)
	}
	return nil
}

// digestOfDir reads ALGORITHM/HEX.
func digestOfDir(dir string) digest.Digest {
	return digest.NewDigestFromEncoded(digest.Algorithm(filepath.Base(filepath.Dir(dir))), filepath.Base(dir))
}

// descend gives the directories so many levels below dir. Unlike a glob, it
// tells when it could not read one: what is not seen would be taken for unused.
func descend(dir string, levels int) ([]string, error) {
	if levels == 0 {
		return []string{dir}, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, unlessGone(err)
	}
	var all []string
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		below, err := descend(filepath.Join(dir, e.Name()), levels-1)
		if err != nil {
			return nil, err
		}
		all = append(all, below...)
	}
	return all, nil
}
