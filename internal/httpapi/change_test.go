package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
)

// oneUser knows every token as ada's.
type oneUser struct{ auth.Store }

func (oneUser) Token(context.Context, string) (setops.Token, bool, error) {
	return setops.Token{Use: setops.AccessToken, Session: setops.Session{User: setops.User{ID: "u-ada"}}}, true, nil
}

func (oneUser) UseSession(context.Context, string, time.Time) error { return nil }

// requests are those that were done.
type requests map[string][2]string

func (m requests) Request(_ context.Context, id string, _ time.Time) (digest, answer string, ok bool, err error) {
	r, ok := m[id]
	return r[0], r[1], ok, nil
}

func (m requests) AddRequest(_ context.Context, r idempotency.Request, answer string, _ time.Time) error {
	m[r.ID] = [2]string{r.Digest, answer}
	return nil
}

type changed struct{ Done string }

// heard are the events that were recorded.
type heard []setops.Event

func (h *heard) Record(_ context.Context, e setops.Event) { *h = append(*h, e) }

func (h *heard) Events(context.Context, setops.EventQuery) ([]setops.Event, error) { return *h, nil }

type toChange struct {
	SignedIn
	Changing
}

func TestWhatAnotherServerHasDoneMeanwhileIsNoError(t *testing.T) {
	done := requests{}
	var events heard
	s := &Server{
		Audit:    &events,
		Sessions: auth.NewSessions(oneUser{}, time.Now, slog.New(slog.DiscardHandler)),
		Requests: idempotency.NewKeeper(done, []byte("secret"), time.Now), Logger: slog.New(slog.DiscardHandler),
	}
	mux := http.NewServeMux()
	h := newAPI(mux, "test")
	useOurErrors()
	change(s, h, remove("/faster", "faster", "is done elsewhere", http.StatusOK),
		func(ctx context.Context, r idempotency.Request, _ *toChange) (*answer[changed], error) {
			if err := s.Requests.Remember(ctx, r, answered(changed{"elsewhere"})); err != nil {
				t.Error(err)
			}
			return nil, setops.Refuse(setops.ChangesetDoesNotExist, "nothing is left")
		})
	change(s, h, remove("/never", "never", "is not done", http.StatusOK),
		func(context.Context, idempotency.Request, *toChange) (*answer[changed], error) {
			return nil, setops.Refuse(setops.ChangesetDoesNotExist, "nothing was there")
		})
	for path, want := range map[string]string{"/faster": `"elsewhere"`, "/never": `"nothing was there"`} {
		r := httptest.NewRequest(http.MethodDelete, path, nil)
		r.Header.Set("Authorization", "Bearer token")
		r.Header.Set("Idempotency-Key", path[1:])
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if len(events) != 1 || events[0].Action != "faster" || events[0].ID == "" {
		t.Errorf("recorded are %+v", events)
	}
}
