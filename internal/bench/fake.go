//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
		found := readyLine.FindStringSubmatch(read(s.log))
		if found != nil {
			s.api, s.url = found[1], "http://"+found[1]
		}
		return found != nil
	})
	s.ready = time.Since(began)
	if err != nil {
		return errors.Join(err, s.stop())
	}
	return json.Unmarshal([]byte(read(filepath.Join(s.dir, "tokens.json"))), &s.tokens)
}
