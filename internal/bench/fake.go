//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/setopsco/setops/pkg/client"
)

// fakeServer is a setopsd with the engine in memory: program fakeserver.
type fakeServer struct {
	*process
	program, dir string
	url, api     string
	ready        time.Duration // from start to the ready line
	tokens       []string
}

// projectRef is the project that fakeserver makes.
var projectRef = client.ProjectRef{Organization: organization, Project: project}

// openFake starts one on a new directory.
func (b *bench) openFake(ctx context.Context, name string, args ...string) (*fakeServer, error) {
	s := &fakeServer{program: filepath.Join(b.dir, "fakeserver"), dir: filepath.Join(b.dir, name)}
	if _, err := os.Stat(s.program); err != nil {
		if _, err := output(ctx, nil, "go", "build", "-buildvcs=false", "-o", s.program, "./internal/bench/fakeserver"); err != nil {
			return nil, fmt.Errorf("build the server of the bench: %w", err)
		}
	}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, err
	}
	if err := s.start(ctx, args...); err != nil {
		return nil, err
	}
	b.onClose(func() error { return s.stop() })
	return s, nil
}

func (s *fakeServer) start(ctx context.Context, args ...string) (err error) {
	began := time.Now()
	if s.process, err = start(s.dir, nil, s.program, append([]string{"serve", s.dir}, args...)...); err != nil {
		return err
	}
	err = s.await(ctx, 2*time.Minute, func() bool {
		return s.heard(1)
	})
	s.ready = time.Since(began)
	if err != nil {
		return errors.Join(err, s.stop())
	}
	return json.Unmarshal([]byte(read(filepath.Join(s.dir, "tokens.json"))), &s.tokens)
}

var fakeReady = regexp.MustCompile(`setopsd ready api=http://(\S+) .*after=(\S+)`)

// heard reports whether that many servers have said that they are ready, and takes the address of the last one.
func (s *fakeServer) heard(n int) bool {
	all := fakeReady.FindAllStringSubmatch(read(s.log), -1)
	if len(all) < n {
		return false
	}
	last := all[len(all)-1]
	s.api, s.url = last[1], "http://"+last[1]
	s.ready, _ = time.ParseDuration(last[2]) // it was written by String
	return true
}

// next has the next server take the place of the n-th one, as its tasks run on, and keeps how long its start took.
func (s *fakeServer) next(ctx context.Context, n int) error {
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		return err
	}
	return s.await(ctx, 2*time.Minute, func() bool { return s.heard(n + 1) })
}
