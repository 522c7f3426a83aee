package auth

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

// from is the address that asks.
const from = "192.0.2.1"

// clock is a time that only a test moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time          { return c.now }
func (c *clock) forward(d time.Duration) { c.now = c.now.Add(d) }

// people is a Store in memory, as far as passwords need one: hashes by address, tokens by hash.
type people struct {
	Store
	tries  map[string]tries // by hash
	mu     sync.Mutex       // of tries
	hashes map[string]string
	tokens map[string]setops.Token
	fault  error
	logins atomic.Int32
}

type tries struct {
	wrong int
	last  time.Time
}

func (p *people) Tries(_ context.Context, hash string) (int, time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tries[hash].wrong, p.tries[hash].last, p.fault
}

func (p *people) AddTry(_ context.Context, hash string, now, _ time.Time, _ int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries[hash] = tries{p.tries[hash].wrong + 1, now}
	return p.fault
}

func (p *people) ForgetTries(_ context.Context, hash string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tries, hash)
	return p.fault
}

func (p *people) Login(_ context.Context, organization, email string) (setops.User, string, bool, error) {
	p.logins.Add(1)
	hash, ok := p.hashes[email]
	return setops.User{ID: email, Email: email, Organization: organization}, hash, ok && organization == "demo", p.fault
}

func (p *people) AddSession(_ context.Context, s setops.Session, tokens ...setops.Token) error {
	for _, t := range tokens {
		t.Session = s
		p.tokens[t.Hash] = t
	}
	return p.fault
}

func (p *people) Token(_ context.Context, hash string) (setops.Token, bool, error) {
	t, ok := p.tokens[hash]
	return t, ok, p.fault
}

func (p *people) UseSession(context.Context, string, time.Time) error { return errors.New("disk full") }

func (p *people) RemoveSession(_ context.Context, _, id string) (bool, error) {
	maps.DeleteFunc(p.tokens, func(_ string, t setops.Token) bool { return t.Session.ID == id })
	return true, p.fault
}

var adasHash = HashPassword("correct horse")

func sessions(t *testing.T) (*Sessions, *people, *clock) {
	t.Helper()
	p := &people{hashes: map[string]string{"ada@example.com": adasHash}, tokens: map[string]setops.Token{}, tries: map[string]tries{}}
	c := &clock{now: time.Unix(1_700_000_000, 0)}
	return NewSessions(p, c.Now, slog.New(slog.DiscardHandler)), p, c
}

func TestPasswordsAreKeptAsArgon2id(t *testing.T) {
	if !strings.HasPrefix(adasHash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(adasHash, "horse") {
		t.Error(adasHash)
	}
	if HashPassword("correct horse") == adasHash {
		t.Error("two hashes of one password are equal: there is no salt")
	}
	for password, want := range map[string]bool{"correct horse": true, "Correct horse": false, "correct horse ": false, "": false} {
		if got, err := checkPassword(adasHash, password); got != want || err != nil {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
	// The cost is that of the hash, so that it can be raised without locking anybody out.
	cheap := "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" // of an empty key
	if _, err := checkPassword(cheap, "x"); err == nil {
		t.Error("a hash without a key was compared")
	}
}

func TestADamagedHashIsAFaultAndNoRefusal(t *testing.T) {
	for _, hash := range []string{"", "plain", "$argon2i$v=19$m=64,t=1,p=1$c2FsdA$a2V5", "$argon2id$v=16$m=64,t=1,p=1$c2FsdA$a2V5", "$argon2id$v=19$m=x$c2FsdA$a2V5", "$argon2id$v=19$m=64,t=1,p=1$!$a2V5", "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$!"} {
		if ok, err := checkPassword(hash, "x"); ok || err == nil {
			t.Errorf("%q: %v, %v", hash, ok, err)
		}
	}
}

func TestSigningInGivesATokenThatExpires(t *testing.T) {
	s, p, c := sessions(t)
	g, err := s.SignIn(t.Context(), "demo", " Ada@Example.com", "correct horse", from, setops.ServiceSession, "a test")
	token := g.Token
	if err != nil || g.Session.User.Email != "ada@example.com" || !strings.HasPrefix(token, TokenPrefix) || !g.ExpiresAt.Equal(c.now.Add(4*time.Hour)) || g.Refresh != "" {
		t.Fatalf("%+v %v", g, err)
	}
	for kept := range p.tokens {
		if strings.Contains(kept, token) || strings.Contains(token, kept) {
			t.Error("the store has the token itself")
		}
	}
	c.forward(4*time.Hour - time.Second)
	if _, _, err := s.CheckToken(t.Context(), token); err != nil {
		t.Errorf("a second before its end: %v", err)
	}
	c.forward(time.Second)
	if _, _, err := s.CheckToken(t.Context(), token); !setops.IsCode(err, setops.SessionInvalid) || !strings.Contains(err.Error(), "expired") || !strings.Contains(err.Error(), "setops login") {
		t.Errorf("at its end: %v", err)
	}
	if g, err = s.SignIn(t.Context(), "demo", "ada@example.com", "correct horse", from, setops.PersonSession, "a test"); err != nil {
		t.Fatal(err)
	}
	token = g.Token
	if err := s.SignOut(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{token, "", TokenPrefix, "nonsense"} {
		if _, _, err := s.CheckToken(t.Context(), bad); !setops.IsCode(err, setops.SessionInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAWrongSignInDoesNotSayWhatIsWrong(t *testing.T) {
	s, _, _ := sessions(t)
	var sentences []string
	for _, try := range [][3]string{{"demo", "ada@example.com", "wrong"}, {"demo", "nobody@example.com", "correct horse"}, {"other", "ada@example.com", "correct horse"}, {"demo", "nobody@example.com", "nobody"}} {
		_, err := s.CheckPassword(t.Context(), try[0], try[1], try[2], from)
		if !setops.IsCode(err, setops.CredentialsInvalid) {
			t.Errorf("%v: %v", try, err)
			continue
		}
		sentences = append(sentences, err.Error())
	}
	for _, sentence := range sentences {
		if sentence != sentences[0] {
			t.Errorf("%q and %q", sentence, sentences[0])
		}
	}
}

func TestGuessingGetsSlowerAndIsForgotten(t *testing.T) {
	s, p, c := sessions(t)
	guess := func(email string) error {
		_, err := s.CheckPassword(t.Context(), "demo", email, "guess", from)
		return err
	}
	for i := range 5 {
		if err := guess("ada@example.com"); !setops.IsCode(err, setops.CredentialsInvalid) {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		wait *= time.Second
		before := p.logins.Load()
		c.forward(wait - time.Millisecond)
		if _, err := s.CheckPassword(t.Context(), "demo", "ADA@example.com", "correct horse", from); !setops.IsCode(err, setops.Overload) {
			t.Fatalf("before %s have passed: %v", wait, err)
		}
		if p.logins.Load() != before {
			t.Error("a throttled try costs a look into the store")
		}
		c.forward(time.Millisecond)
		if err := guess("ada@example.com"); !setops.IsCode(err, setops.CredentialsInvalid) {
			t.Fatalf("after %s: %v", wait, err)
		}
	}
	if err := guess("bob@example.com"); !setops.IsCode(err, setops.CredentialsInvalid) {
		t.Errorf("somebody else is held up: %v", err)
	}
	if _, err := s.CheckPassword(t.Context(), "demo", "ada@example.com", "guess", "192.0.2.2"); !setops.IsCode(err, setops.CredentialsInvalid) {
		t.Errorf("the user is held up elsewhere: %v", err)
	}
	c.forward(time.Minute)
	if _, err := s.CheckPassword(t.Context(), "demo", "ada@example.com", "correct horse", from); err != nil {
		t.Fatal(err)
	}
	if err := guess("ada@example.com"); !setops.IsCode(err, setops.CredentialsInvalid) {
		t.Errorf("a right password did not end the wait: %v", err)
	}
}

func TestGuessesAtTheSameTimeAreCountedToo(t *testing.T) {
	s, p, _ := sessions(t)
	p.hashes["ada@example.com"] = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5" // a cheap one
	var looked atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := s.CheckPassword(t.Context(), "demo", "ada@example.com", "guess", from)
			if setops.IsCode(err, setops.CredentialsInvalid) {
				looked.Add(1)
			}
		})
	}
	wg.Wait()
	if n := int(looked.Load()); n > freeTries+cap(s.hashing) {
		t.Errorf("%d guesses were answered at once", n)
	}
}

func TestTheThrottleForgets(t *testing.T) {
	s, p, c := sessions(t)
	guess := func() error {
		_, err := s.CheckPassword(t.Context(), "demo", "ada@example.com", "guess", from)
		return err
	}
	for range freeTries {
		if err := guess(); !setops.IsCode(err, setops.CredentialsInvalid) {
			t.Fatal(err)
		}
	}
	for hash := range p.tries {
		if strings.Contains(hash, "ada") || len(p.tries) != 1 {
			t.Errorf("kept is %q", hash)
		}
	}
	if err := guess(); !setops.IsCode(err, setops.Overload) {
		t.Errorf("got %v", err)
	}
	c.forward(forgetAfter + time.Second)
	if err := guess(); !setops.IsCode(err, setops.CredentialsInvalid) {
		t.Errorf("after %s: %v", forgetAfter, err)
	}
}

func TestWrongTriesCountForAllServersOnOneDatabase(t *testing.T) {
	one, p, c := sessions(t)
	other := NewSessions(p, c.Now, one.log)
	for i := range freeTries {
		if _, err := []*Sessions{one, other}[i%2].CheckPassword(t.Context(), "demo", "ada@example.com", "guess", from); !setops.IsCode(err, setops.CredentialsInvalid) {
			t.Fatal(err)
		}
	}
	for _, s := range []*Sessions{one, other} {
		if _, err := s.CheckPassword(t.Context(), "demo", "ada@example.com", "correct horse", from); !setops.IsCode(err, setops.Overload) {
			t.Errorf("got %v", err)
		}
	}
}

func TestAFaultOfTheStoreIsNoRefusal(t *testing.T) {
	s, p, _ := sessions(t)
	p.fault = errors.New("disk on fire")
	if _, err := s.CheckPassword(t.Context(), "demo", "ada@example.com", "correct horse", from); !errors.Is(err, p.fault) {
		t.Errorf("got %v", err)
	}
	if _, _, err := s.CheckToken(t.Context(), "x"); !errors.Is(err, p.fault) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.fault = nil
	s.hashing <- struct{}{}
	s.hashing <- struct{}{}
	if _, err := s.CheckPassword(ctx, "demo", "ada@example.com", "correct horse", from); !errors.Is(err, context.Canceled) {
		t.Errorf("whoever went away waits on: %v", err)
	}
}
