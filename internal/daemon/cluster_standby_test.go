package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/store"
)

// onCluster is a configuration of one of several servers of a cluster: what they have in common, and a data directory of its own.
func onCluster(t *testing.T) daemon.Config {
	t.Helper()
	c := onPostgres(t)
	c.Engine, c.RegistryAddress = "kubernetes", "registry.example.net"
	c.KeyFile = filepath.Join(t.TempDir(), "key")
	keep(t, c.KeyFile, strings.Repeat("5e", 32))
	return c
}

func elsewhere(t *testing.T, c daemon.Config) daemon.Config {
	t.Helper()
	c.DataDir = t.TempDir()
	return c
}

// member is one of several servers, which runs.
type member struct {
	*daemon.Daemon
	t     *testing.T
	said  *lines
	stop  context.CancelFunc
	ended chan error
}

// lines are what a server prints, line by line.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func begin(t *testing.T, c daemon.Config) *member {
	t.Helper()
	m := &member{t: t, said: &lines{}, ended: make(chan error, 1)}
	m.Daemon = &daemon.Daemon{Config: c, Out: m.said, NewEngine: withFake}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	m.stop = stop
	must(t, m.Open(ctx))
	go func() { m.ended <- m.Run(ctx) }()
	t.Cleanup(func() { must(t, m.end()) })
	return m
}

// end stops the server as SIGTERM does, and gives why it had ended, if it had.
func (m *member) end() error {
	m.stop()
	err, ran := <-m.ended
	if ran {
		close(m.ended)
		err = errors.Join(err, m.Close())
	}
	return err
}

func (m *member) await(what string, is func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.t.Fatalf("%s: not within a minute; the server said: %s", what, m.said)
		}
	}
}

func (m *member) keeps() bool    { return strings.Contains(m.said.String(), " router=") }
func (m *member) standsBy() bool { return strings.Contains(m.said.String(), " standby\n") }

// asksEngine is a request that only who keeps the tasks can answer: the app is not there, which is known by who has asked for it.
func (m *member) asksEngine() int {
	m.t.Helper()
	r, err := http.NewRequest(http.MethodDelete, "http://"+m.APIAddress()+"/v1/organizations/demo/projects/shop", nil)
	must(m.t, err)
	response, err := http.DefaultClient.Do(r)
	must(m.t, err)
	must(m.t, response.Body.Close())
	return response.StatusCode
}

func TestAServerOfAClusterIsSucceededByOneThatSharesTheDatabaseAlone(t *testing.T) {
	c := onCluster(t)
	first := begin(t, c)
	first.await("the first keeps the tasks", first.keeps)
	second := begin(t, elsewhere(t, c))
	second.await("the second stands by", second.standsBy)
	must(t, signIn(t, second.Daemon, "first"))
	if status := second.asksEngine(); status != http.StatusUnauthorized {
		t.Errorf("what the first must answer: status %d", status)
	}
	must(t, first.end())
	second.await("the second keeps the tasks", second.keeps)
	must(t, signIn(t, second.Daemon, "first"))
	again := begin(t, c)
	again.await("the first stands by", again.standsBy)
	if again.keeps() {
		t.Error("two servers keep the tasks")
	}
	ids := map[string]bool{}
	for _, dir := range []string{first.Config.DataDir, second.Config.DataDir} {
		ids[read(t, filepath.Join(dir, "instance"))] = true
	}
	if len(ids) != 1 {
		t.Errorf("they are of several installations: %v", ids)
	}
}

func TestAServerWhoseContainerStartsAnewDoesNotWaitForItself(t *testing.T) {
	c := onCluster(t)
	must(t, os.MkdirAll(c.DataDir, 0o700))
	for range 2 { // the second finds what is said of a server that died without a word
		m := begin(t, c)
		m.await("it keeps the tasks", m.keeps)
		if m.standsBy() {
			t.Error("it stood by first")
		}
		must(t, m.end())
		s, err := store.Connect(t.Context(), c.Database)
		must(t, err)
		has, _, err := s.Keeper(t.Context())
		must(t, err)
		has.Gone, has.Until = false, time.Now().Add(time.Hour)
		_, err = s.Succeed(t.Context(), has, setops.Keeper{})
		must(t, errors.Join(err, s.Close()))
	}
}

func TestAServerThatWasSucceededWithoutKnowingEnds(t *testing.T) {
	c := onCluster(t)
	m := begin(t, c)
	m.await("it keeps the tasks", m.keeps)
	s, err := store.Connect(t.Context(), c.Database)
	must(t, err)
	defer func() { must(t, s.Close()) }()
	for let := false; !let; { // it may say at any moment that it is there
		has, _, err := s.Keeper(t.Context())
		must(t, err)
		heir := setops.Keeper{Machine: "another", Instance: has.Instance, Address: "http://192.0.2.9:7700", Until: time.Now()}
		other, err := s.Succeed(t.Context(), heir, has)
		must(t, err)
		let = other == nil
	}
	err = <-m.ended
	close(m.ended)
	if err == nil || !strings.Contains(err.Error(), "the server at http://192.0.2.9:7700 keeps the tasks") {
		t.Errorf("got %v", err)
	}
	must(t, m.Close())
	has, _, err := s.Keeper(t.Context())
	if err != nil || has.Machine != "another" {
		t.Errorf("it took its place back: %+v, %v", has, err)
	}
}

func TestServersOfAClusterMustHaveTheSameKeyAndBeOfTheSameInstallation(t *testing.T) {
	c := onCluster(t)
	c.Instance = "0badcafe"
	m := begin(t, c)
	m.await("it keeps the tasks", m.keeps)
	keyless, stranger, other := elsewhere(t, c), elsewhere(t, c), elsewhere(t, c)
	keyless.KeyFile = ""
	if why := refused(t, keyless); !strings.Contains(why, "must have the same one; give this one that key with --key-file") {
		t.Error(why)
	}
	stranger.KeyFile = filepath.Join(t.TempDir(), "key")
	keep(t, stranger.KeyFile, strings.Repeat("0", 64))
	if why := refused(t, stranger); !strings.Contains(why, "sealed with another key than "+stranger.KeyFile) {
		t.Error(why)
	}
	other.Instance = "deadbeef"
	if why := refused(t, other); !strings.Contains(why, "one of installation 0badcafe and not of deadbeef") || !strings.Contains(why, "--instance 0badcafe") {
		t.Error(why)
	}
	again := c
	again.Instance = "deadbeef"
	must(t, m.end())
	if why := refused(t, again); !strings.Contains(why, "is one of installation 0badcafe and not of deadbeef, as --instance says") {
		t.Error(why)
	}
}

func TestTheKeyOfServersOfAClusterIsChangedWhenAllOfThemAreStopped(t *testing.T) {
	c := onCluster(t)
	one := begin(t, c)
	one.await("it keeps the tasks", one.keeps)
	fresh := filepath.Join(t.TempDir(), "key")
	keep(t, fresh, strings.Repeat("7", 64))
	job := elsewhere(t, c) // it shares nothing but the database and the key
	if code, _, problem := rotate(job, "--new-key-file", fresh); code != 1 || !strings.Contains(problem, "a server has the database; stop all of them") {
		t.Errorf("exit code %d: %s", code, problem)
	}
	must(t, signIn(t, one.Daemon, "first"))
	must(t, one.end())
	if code, out, problem := rotate(job, "--new-key-file", fresh); code != 0 || !strings.Contains(out, "--key-file "+fresh) {
		t.Fatalf("exit code %d: %s %s", code, out, problem)
	}
	if why := refused(t, elsewhere(t, c)); !strings.Contains(why, "sealed with another key than "+c.KeyFile) {
		t.Error(why)
	}
	c.KeyFile = fresh
	next := begin(t, elsewhere(t, c))
	next.await("it keeps the tasks", next.keeps)
}

func TestAServerDoesNotStartWhileTheKeyIsChanged(t *testing.T) {
	c := onCluster(t)
	begun := begin(t, c)
	begun.await("it keeps the tasks", begun.keeps)
	must(t, begun.end())
	s, err := store.Connect(t.Context(), c.Database)
	must(t, err)
	defer func() { must(t, s.Close()) }()
	ctx, stop := context.WithCancel(t.Context())
	has, _, err := s.Keeper(ctx)
	must(t, err)
	rotates := func() error {
		k := setops.Keeper{Machine: "rotates", Instance: has.Instance, Until: time.Now()}
		_, err := s.Succeed(ctx, k, has)
		return err
	}
	must(t, rotates())
	var says sync.WaitGroup
	says.Go(func() {
		for rotates() == nil {
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return
			}
		}
	})
	if why := refused(t, elsewhere(t, c)); !strings.Contains(why, "is being changed by setopsd rotate-key") {
		t.Error(why)
	}
	stop()
	says.Wait()
	next := begin(t, elsewhere(t, c)) // it was broken off, and nothing is heard of it
	next.await("it keeps the tasks", next.keeps)
}
