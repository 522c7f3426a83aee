package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/fake"
	"github.com/setopsco/setops/internal/freeport"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
	"github.com/setopsco/setops/internal/store/storetest"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

const (
	organization = "demo"
	admin        = "ada@example.com"
)

// passwordOf is the password of everybody in these tests.
func passwordOf(email string) string { return passwordMark + email }

// speed divides start and stop timeouts: 60 s are 6 s.
const speed = 10

// world is a server with what surrounds it: the host on which tasks run outlives the server.
type world struct {
	config  daemon.Config
	runtime *fake.Runtime
	log     *transcript
	dns     *nameServer
	gates   gates
	tokens  []string         // of all who have signed in
	said    []said           // by setops
	saidDir string           // where more of it is kept
	now     func() time.Time // of schedules

	removeDatabase func() error

	mu sync.Mutex // of tokens

	daemon *daemon.Daemon
	cancel context.CancelFunc
	ended  chan error
	proxy  *proxy
}

func newWorld(dir string) (*world, error) {
	password := filepath.Join(dir, "admin-password")
	if err := os.WriteFile(password, []byte(passwordOf(admin)+"\n"), 0o600); err != nil {
		return nil, err
	}
	listen, err := freeport.Address() // a server that starts again gets them again
	if err != nil {
		return nil, err
	}
	httpListen, err := freeport.Address()
	if err != nil {
		return nil, err
	}
	names, err := newNameServer()
	if err != nil {
		return nil, err
	}
	database, removeDatabase, err := storetest.Make()
	if err != nil {
		return nil, errors.Join(err, names.close())
	}
	w := &world{
		removeDatabase: removeDatabase,

		dns:     names,
		runtime: fake.NewRuntime(),
		log:     &transcript{},
		config: daemon.Config{
			DataDir: filepath.Join(dir, "data"), Database: database, Listen: listen, HTTPListen: httpListen, Domain: "localhost",
			Engine: "auto", Organization: organization, AdminEmail: admin, AdminPasswordFile: password, DNSResolver: names.address(),
		},
	}
	return w, w.start()
}

// openWorld gives a Go test a server.
func openWorld(t *testing.T) *world {
	t.Helper()
	w, err := newWorld(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// start starts the server, a second time at the addresses of the first, and returns when it is ready.
func (w *world) start() error {
	ready := &readyLine{ready: make(chan struct{})}
	var d *daemon.Daemon
	ctx, cancel := context.WithCancel(context.Background())
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		d = &daemon.Daemon{
			Config: w.config, Out: ready, NewEngine: w.newEngine, Now: w.now,
			Logger: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		}
		err := d.Open(ctx)
		if err == nil {
			break
		}
		// A program that another test begins in this process has a copy of the old server's socket until the kernel has executed it.
		if !errors.Is(err, syscall.EADDRINUSE) || time.Since(began) > patience {
			cancel()
			return err
		}
	}
	w.daemon, w.cancel, w.ended = d, cancel, make(chan error, 1)
	go func() { w.ended <- errors.Join(d.Run(ctx), d.Close()) }()
	select {
	case <-ready.ready:
	case err := <-w.ended:
		return fmt.Errorf("the server ended before it was ready: %w", err)
	}
	w.config.Listen, w.config.HTTPListen = d.APIAddress(), d.RouterAddress()
	return nil
}

func (w *world) newEngine(ctx context.Context, c daemon.EngineConfig) (engine.Engine, error) {
	return fake.New(ctx, fake.Config{Dir: c.Dir, Runtime: w.runtime, Drainer: c.Drainer, Logger: c.Logger, Speed: speed})
}

// stop stops the server as SIGTERM does; tasks go on.
func (w *world) stop() error {
	if w.cancel == nil {
		return nil
	}
	w.cancel()
	w.cancel = nil
	err := <-w.ended
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() // else a POST to the next server may go to the one that has gone
	return err
}

func (w *world) close() error {
	w.gates.openAll()
	if w.proxy != nil {
		w.proxy.close()
	}
	all, err := hear(w.saidDir)
	w.said = append(w.said, all...)
	return errors.Join(err, w.leaks(), w.stop(), w.dns.close(), w.runtime.Close(), w.removeDatabase())
}

func (w *world) url() string { return "http://" + w.config.Listen }

func (w *world) signIn(ctx context.Context, email string) (token string, err error) {
	s, err := client.New(w.url(), "", client.Options{}).SignIn(ctx, api.Credentials{
		Organization: organization, Email: email, Password: passwordOf(email),
	})
	if err == nil {
		w.mu.Lock()
		w.tokens = append(w.tokens, s.Token)
		w.mu.Unlock()
	}
	return s.Token, err
}

// inStore opens the server's database a second time: for what the API cannot do yet.
func (w *world) inStore(f func(*store.Store) error) error {
	place := storetest.Place{File: filepath.Join(w.config.DataDir, "setops.db"), URL: w.config.Database}
	s, err := place.Open(context.Background())
	if err != nil {
		return err
	}
	return errors.Join(f(s), s.Close())
}

func (w *world) addUser(ctx context.Context, email string) error {
	return w.inStore(func(s *store.Store) error {
		id, err := s.AddOrganization(ctx, "unused", organization, time.Now())
		if err != nil {
			return err
		}
		return addUserTo(ctx, s, email, id)
	})
}

func addUserTo(ctx context.Context, s *store.Store, email, organizationID string) error {
	return s.AddUser(ctx, setops.User{ID: "user " + email, Email: email}, auth.HashPassword(passwordOf(email)), organizationID, time.Now())
}

// expire ends the life of a token now.
func (w *world) expire(ctx context.Context, token string) error {
	sum := sha256.Sum256([]byte(token))
	hash := hex.EncodeToString(sum[:])
	return w.inStore(func(s *store.Store) error {
		t, ok, err := s.Token(ctx, hash)
		if err != nil || !ok {
			return fmt.Errorf("find token: %v, %w", ok, err)
		}
		_, err = s.RemoveSession(ctx, t.Session.User.ID, t.Session.ID)
		now := time.Now()
		t.Session.CreatedAt, t.Session.ExpiresAt, t.ExpiresAt = now, now, now
		return errors.Join(err, s.AddSession(ctx, t.Session, t))
	})
}

// grant gives a role on PROJECT or PROJECT/STAGE.
func (w *world) grant(ctx context.Context, email, scope string, role setops.Role) error {
	project, stage, onStage := strings.Cut(scope, "/")
	return w.inStore(func(s *store.Store) error {
		u, _, ok, err := s.Login(ctx, organization, email)
		if err != nil || !ok {
			return fmt.Errorf("find user %s: %v, %w", email, ok, err)
		}
		p, ok, err := s.Project(ctx, u.OrganizationID, project)
		if err != nil || !ok {
			return fmt.Errorf("find project %s: %v, %w", project, ok, err)
		}
		if !onStage {
			return s.Grant(ctx, p.ID, u.ID, role)
		}
		st, ok, err := s.Stage(ctx, p.ID, stage)
		if err != nil || !ok {
			return fmt.Errorf("find stage %s: %v, %w", stage, ok, err)
		}
		return s.Grant(ctx, st.ID, u.ID, role)
	})
}

// readyLine hears when the server says that it is ready.
type readyLine struct {
	once  sync.Once
	ready chan struct{}
}

func (r *readyLine) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("setopsd ready api=http://127.0.0.1:")) {
		r.once.Do(func() { close(r.ready) })
	}
	return len(p), nil
}

// transcript is all that the server has logged.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
