package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// keys remembers the keys of requests, in order.
type keys struct {
	mu  sync.Mutex
	all []string
}

func (k *keys) hear(r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(k.all, r.Header.Get("Idempotency-Key"))
}

func (k *keys) heard() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.all)
}

func TestACallHasOneKeyEachTimeThatItIsSent(t *testing.T) {
	var heard keys
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request, n int) {
		heard.hear(r)
		switch n {
		case 1:
			refuse(w, http.StatusConflict, true)
		case 2:
			w.Header().Set("Content-Length", "100") // the rest does not come
			_, _ = fmt.Fprint(w, `{"commands":`)
		case 3:
			w.WriteHeader(http.StatusBadGateway)
		default:
			_, _ = fmt.Fprint(w, `{"commands":3}`)
		}
	})
	for range 2 {
		if d, err := c.Discard(t.Context(), stage); err != nil || d.Commands != 3 {
			t.Errorf("%+v, %v", d, err)
		}
	}
	all := heard.heard()
	if len(all) != 5 {
		t.Fatalf("keys %q", all)
	}
	first, second := all[0], all[4]
	if first == "" || first == second || len(first) > 64 || !slices.Equal(all[:4], []string{first, first, first, first}) {
		t.Errorf("keys %q", all)
	}
}

func TestReadingAndSigningInHaveNoKey(t *testing.T) {
	var heard keys
	c, requests := serve(t, func(w http.ResponseWriter, r *http.Request, n int) {
		heard.hear(r)
		if n == 2 {
			cut(w)
			return
		}
		_, _ = fmt.Fprint(w, `{}`)
	})
	if _, err := c.Session(t.Context()); err != nil {
		t.Error(err)
	}
	var lost *client.ConnectionError
	if _, err := c.SignIn(t.Context(), api.Credentials{}); !errors.As(err, &lost) || lost.Tries != 1 {
		t.Errorf("signing in on a cut connection: %v", err)
	}
	if all := heard.heard(); strings.Join(all, "") != "" || requests.Load() != 2 {
		t.Errorf("keys %q of %d requests", all, requests.Load())
	}
}

func TestAnErrorThatIsCutOffIsALostAnswer(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			w.Header().Set("Content-Length", "500")
			refuse(w, http.StatusConflict, false)
			return
		}
		_, _ = fmt.Fprint(w, `{"effects":[]}`)
	})
	if _, err := c.StageCommands(t.Context(), stage); err != nil || requests.Load() != 2 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
}

func TestEachTryIsTraced(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n < 4 {
			cut(w)
		}
	})
	var heard int
	traced := quick
	traced.Trace = func(client.Trace) { heard++ }
	err := client.New(c.Address(), "token", traced).DestroyStage(t.Context(), stage)
	if err != nil || heard != 4 || requests.Load() != 4 {
		t.Errorf("%v; %d traces, %d requests", err, heard, requests.Load())
	}
}

func TestAnUnknownHostIsNotTriedAgain(t *testing.T) {
	_, err := client.New("http://host.invalid", "token", quick).Session(t.Context())
	var lost *client.ConnectionError
	if !errors.As(err, &lost) || lost.Tries != 1 {
		t.Errorf("%v", err)
	}
}

func TestWhoeverIsInterruptedDoesNotAskAgain(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, requests := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { refuse(w, http.StatusConflict, true) })
	waiting := client.Options{Backoff: time.Hour, Trace: func(client.Trace) { cancel() }}
	_, err := client.New(c.Address(), "token", waiting).Discard(ctx, stage)
	if !errors.Is(err, context.Canceled) || requests.Load() != 1 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
}
