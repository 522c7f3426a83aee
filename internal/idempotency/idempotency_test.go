package idempotency_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
)

var secret = []byte("secret")

// memory is a store that has one request.
type memory struct {
	done   idempotency.Request
	answer string
	since  time.Time
	fault  error
}

func (m *memory) Request(_ context.Context, id string, since time.Time) (digest, answer string, ok bool, err error) {
	m.since = since
	return m.done.Digest, m.answer, id == m.done.ID, m.fault
}

func (m *memory) AddRequest(_ context.Context, r idempotency.Request, answer string, _ time.Time) error {
	m.done, m.answer = r, answer
	return m.fault
}

func TestARequestIsTheSameWhereUserKeyAndWhatIsAskedForAre(t *testing.T) {
	one := idempotency.Keyed(secret, "ada", "key", "a")
	if again := idempotency.Keyed(secret, "ada", "key", "a"); again.ID != one.ID || again.NewID != one.NewID || again.Digest != one.Digest {
		t.Error("it is another one the second time")
	}
	if len(one.NewID) != 32 || !one.Keyed() || strings.Contains(one.NewID, one.ID[:8]) {
		t.Errorf("%+v", one)
	}
	for name, other := range map[string]idempotency.Request{
		"of another user":       idempotency.Keyed(secret, "bob", "key", "a"),
		"of another key":        idempotency.Keyed(secret, "ada", "yek", "a"),
		"cut at another letter": idempotency.Keyed(secret, "adak", "ey", "a"),
	} {
		if other.ID == one.ID || other.NewID == one.NewID {
			t.Errorf("a request %s has the id", name)
		}
	}
	if other := idempotency.Keyed(secret, "ada", "key", "b"); other.ID != one.ID || other.NewID != one.NewID || other.Digest == one.Digest {
		t.Errorf("what is asked for changes more than the digest, or not that: %+v, %+v", one, other)
	}
	if other := idempotency.Keyed([]byte("another"), "ada", "key", "a"); other.Digest == one.Digest || other.NewID == one.NewID {
		t.Error("digest or id can be computed without the secret")
	}
}

func TestRequestsWithoutAKeyAreAllDifferent(t *testing.T) {
	one, other := idempotency.Unkeyed(), idempotency.Unkeyed()
	if one.Keyed() || other.Keyed() || one.NewID == other.NewID || len(one.NewID) != 32 {
		t.Errorf("%+v, %+v", one, other)
	}
}

func TestWhatWasDoneIsAnsweredAgain(t *testing.T) {
	m, now := &memory{}, time.Unix(1_700_000_000, 0)
	k := idempotency.NewKeeper(m, secret, func() time.Time { return now })
	r, err := k.Request("ada", "key", "stage-commands", map[string]int{"a": 1})
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ N int }
	if done, err := k.Answer(t.Context(), r, &out); done || err != nil {
		t.Errorf("before it was done: %v, %v", done, err)
	}
	if err := k.Remember(t.Context(), r, struct{ N int }{7}); err != nil {
		t.Fatal(err)
	}
	if done, err := k.Answer(t.Context(), r, &out); !done || err != nil || out.N != 7 {
		t.Errorf("afterwards: %v, %v, %+v", done, err, out)
	}
	if want := now.Add(-24 * time.Hour); !m.since.Equal(want) {
		t.Errorf("looked for since %s, not %s", m.since, want)
	}
	for _, other := range []idempotency.Request{
		idempotency.Keyed(secret, "ada", "key", `stage-commands {"a":2}`),
		idempotency.Keyed(secret, "ada", "key", `create-stage {"a":1}`),
	} {
		done, err := k.Answer(t.Context(), other, &out)
		var refused *setops.Error
		if done || !errors.As(err, &refused) || refused.Code != setops.ValidationFailed || refused.Violations[0].Field != "idempotency_key" {
			t.Errorf("another request with the key: %v, %v", done, err)
		}
	}
	m.fault = errors.New("broken")
	if _, err := k.Answer(t.Context(), r, &out); !errors.Is(err, m.fault) {
		t.Errorf("of a broken store: %v", err)
	}
}

func TestTheSameRequestIsWorkedOnOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := idempotency.NewKeeper(&memory{}, secret, time.Now)
		r, other := idempotency.Keyed(secret, "ada", "key", "a"), idempotency.Keyed(secret, "ada", "other", "a")
		leave, err := k.Enter(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if leaveOther, err := k.Enter(t.Context(), other); err != nil {
			t.Error(err)
		} else {
			leaveOther()
		}
		entered := make(chan struct{})
		go func() {
			defer close(entered)
			leave, err := k.Enter(t.Context(), r)
			if err != nil {
				t.Error(err)
				return
			}
			leave()
		}()
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := k.Enter(ctx, r)
			gone <- err
		}()
		synctest.Wait()
		select {
		case <-entered:
			t.Error("two work on it")
		default:
		}
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("one who has gone: %v", err)
		}
		leave()
		<-entered
	})
}
