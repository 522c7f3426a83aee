//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// The scope in which the bench works.
const (
	organization = "demo"
	admin        = "admin@localhost"
	project      = "bench"
	stage        = "production"
	appName      = "hello"
	appHost      = appName + "." + stage + "." + project + ".localhost"
	repository   = organization + "/" + project + "/" + stage + "/" + appName
)

// server is a setopsd with a data directory of its own and somebody signed in to it.
type server struct {
	*process
	setopsd, setops string
	dir             string
	flags           []string // of setopsd serve, besides those of the bench
	environment     []string // of setopsd
	api, router     string   // addresses, HOST:PORT
	password        string
	ready           time.Duration // from start to the ready line
}

// openServer starts setopsd on a new data directory and signs in.
func (b *bench) openServer(ctx context.Context, name string, environment []string, flags ...string) (*server, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("setopsd runs containers, which needs root")
	}
	s := &server{
		setopsd: filepath.Join(b.bin, "setopsd"), setops: filepath.Join(b.bin, "setops"), dir: filepath.Join(b.dir, name),
		environment: environment, flags: flags,
	}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "data", "admin-password"))
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.password = strings.TrimSpace(string(text))
	lines := organization + "\n" + admin + "\n" + s.password + "\n"
	if _, err := spoken(ctx, lines, s.env(), s.setops, "login", "--url", "http://"+s.api, "--service-user", "--no-setup"); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

var readyLine = regexp.MustCompile(`setopsd ready api=http://(\S+) router=http://(\S+)`)

// start starts setopsd, again on the addresses that it had.
func (s *server) start(ctx context.Context) (err error) {
	began := time.Now()
	flags := []string{
		"serve", "--data-dir", filepath.Join(s.dir, "data"),
		"--listen", first(s.api, "127.0.0.1:0"), "--http-listen", first(s.router, "127.0.0.1:0"),
	}
	s.process, err = start(s.dir, s.environment, s.setopsd, append(flags, s.flags...)...)
	if err != nil {
		return err
	}
	err = s.await(ctx, 2*time.Minute, func() bool {
		found := readyLine.FindStringSubmatch(read(s.log))
		if found != nil {
			s.api, s.router = found[1], found[2]
		}
		return found != nil
	})
	s.ready = time.Since(began)
	if err != nil {
		return errors.Join(err, s.stop())
	}
	return nil
}

// env makes the CLI speak to this server about the bench's app.
func (s *server) env() []string {
	return []string{
		"HOME=" + s.dir, "SETOPS_PROJECT=" + project, "SETOPS_STAGE=" + stage, "SETOPS_APP=" + appName,
		"SETOPS_URL=", "SETOPS_TOKEN=", "SETOPS_ORGANIZATION=",
	}
}

// do runs commands of the CLI, one after the other.
func (s *server) do(ctx context.Context, commands ...string) error {
	for _, c := range commands {
		if _, err := output(ctx, s.env(), s.setops, strings.Fields(c)...); err != nil {
			return err
		}
	}
	return nil
}

// addApp makes a public app that is committed, so that images can be pushed to it.
func (s *server) addApp(ctx context.Context) error {
	return s.do(ctx, "project:create", "stage:create", "app:create "+appName, "network:set public true", "changeset:commit")
}

var taskLine = regexp.MustCompile(`(?m)^\s+[0-9a-f]{32}\s`)

// settle waits until the app has as many tasks as it should: what a deploy replaced ends behind it.
func (s *server) settle(ctx context.Context, tasks int) error {
	return s.settleWithin(ctx, tasks, 30*time.Second)
}

func (s *server) settleWithin(ctx context.Context, tasks int, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		out, err := output(ctx, s.env(), s.setops, "app:ps", appName)
		if err != nil {
			return err
		}
		if n := len(taskLine.FindAllString(out, -1)); n == tasks {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for old tasks to end: %w:\n%s", ctx.Err(), out)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// close takes the app's containers away, then the server: it leaves nothing in the kernel.
func (s *server) close(ctx context.Context) error {
	_, err := output(ctx, s.env(), s.setops, "project:destroy", "--force")
	return errors.Join(err, s.stop())
}
