package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
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
	dirs, err := c.descend(ctx, repositoriesDir, 4)
	if err != nil {
		return nil, err
	}
	var all []*repositorySurvey
	for _, dir := range dirs {
		name := strings.TrimPrefix(dir, repositoriesDir+"/")
		one, err := c.surveyRepository(ctx, name)
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
	return s, errors.Join(c.surveyManifests(ctx, s), c.surveyTags(ctx, s), c.surveyLinks(ctx, s))
}

func (c *collection) surveyManifests(ctx context.Context, s *repositorySurvey) error {
	names, err := c.images.dirs(ctx, revisionsDir(s.name))
	if err != nil {
		return err
	}
	for _, name := range names {
		d := digest.NewDigestFromEncoded(digest.SHA256, name)
		m := &manifest{Reference: Reference{s.name, d.String()}}
		link, err := c.images.stat(ctx, revisionLink(m.Reference))
		if err != nil {
			return err
		}
		if !link.there || d.Validate() != nil {
			continue
		}
		m.used = link.time
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

func (c *collection) surveyTags(ctx context.Context, s *repositorySurvey) error {
	tags, err := c.images.dirs(ctx, tagsDir(s.name))
	if err != nil {
		return err
	}
	for _, tag := range tags {
		d, err := c.readLink(ctx, tagLink(s.name, tag))
		if err != nil {
			return err
		}
		s.tags[d] = append(s.tags[d], tag)
		past, err := c.images.dirs(ctx, path.Join(tagsDir(s.name), tag, "index", string(digest.SHA256)))
		if err != nil {
			return err
		}
		for _, p := range past {
			was := digest.NewDigestFromEncoded(digest.SHA256, p)
			s.history[was] = append(s.history[was], tag)
		}
	}
	return nil
}

func (c *collection) surveyLinks(ctx context.Context, s *repositorySurvey) error {
	dirs, err := c.descend(ctx, layersDir(s.name), 2)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		l := blobLink{path: path.Join(dir, "link"), digest: digestOfDir(dir)}
		l.target = l.digest
		if l.digest.Algorithm() != digest.SHA256 { // a link of that kind leads to itself
			if l.target, err = c.readLink(ctx, l.path); err != nil {
				return err
			}
		}
		s.links = append(s.links, l)
	}
	return nil
}

// digestOfDir reads ALGORITHM/HEX.
func digestOfDir(dir string) digest.Digest {
	return digest.NewDigestFromEncoded(digest.Algorithm(path.Base(path.Dir(dir))), path.Base(dir))
}

// descend gives the directories so many levels below dir.
func (r *Registry) descend(ctx context.Context, dir string, levels int) ([]string, error) {
	if levels == 0 {
		return []string{dir}, nil
	}
	names, err := r.images.dirs(ctx, dir)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, name := range names {
		below, err := r.descend(ctx, path.Join(dir, name), levels-1)
		if err != nil {
			return nil, err
		}
		all = append(all, below...)
	}
	return all, nil
}
