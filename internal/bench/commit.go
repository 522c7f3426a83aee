//go:build linux

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"
)

var releaseLine = regexp.MustCompile(`ReleaseID:\s+(\d+)`)

// release makes one more release of the image, which is unpacked by then.
func (s *server) release(ctx context.Context, digest string) (id string, err error) {
	out, err := output(ctx, s.env(), s.setops, "release:create", digest)
	if err != nil {
		return "", err
	}
	found := releaseLine.FindStringSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("release:create names no release: %s", out)
	}
	return found[1], s.do(ctx, "changeset:commit")
}

// running is a changeset:commit under way.
type running struct {
	cmd   *exec.Cmd
	began time.Time
	heard chan struct{} // closed when it has no more to tell
	said  bytes.Buffer
	told  map[string]time.Duration // when it told of each phase and step, from began on; once end has returned
}

// commit starts changeset:commit.
func (s *server) commit(ctx context.Context, began time.Time) (*running, error) {
	r := &running{
		cmd: exec.CommandContext(ctx, s.setops, "changeset:commit"), began: began,
		heard: make(chan struct{}), told: map[string]time.Duration{},
	}
	r.cmd.Env = append(os.Environ(), s.env()...)
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start changeset:commit: %w", err)
	}
	go r.listen(stderr)
	return r, nil
}

func (r *running) listen(stderr io.Reader) {
	defer close(r.heard)
	lines := bufio.NewScanner(io.TeeReader(stderr, &r.said))
	for lines.Scan() {
		r.told[strings.TrimSpace(lines.Text())] = time.Since(r.began)
	}
}

// end waits until the command has ended.
func (r *running) end() error {
	<-r.heard
	if err := r.cmd.Wait(); err != nil {
		return fmt.Errorf("run changeset:commit: %w: %s", err, r.said.String())
	}
	r.told["the end"] = time.Since(r.began)
	return nil
}

// marks are the times at which commits told of their phases and steps.
type marks map[string]*samples

func (m marks) keep(round int, told map[string]time.Duration) {
	for name, at := range told {
		if m[name] == nil {
			m[name] = &samples{}
		}
		m[name].keep(round, at)
	}
}

// String gives the medians in the order in which they come.
func (m marks) String() string {
	names := slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Compare(median(*m[a]), median(*m[b])) })
	for i, name := range names {
		names[i] = name + " " + show(median(*m[name]))
	}
	return strings.Join(names, ", ")
}
