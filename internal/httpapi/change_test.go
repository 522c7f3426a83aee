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
	"github.com/setopsco/setops/pkg/api"
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

func (h *heard) Complete(e setops.Event) setops.Event { return e }

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

func TestARequestThatDidNothingIsNoEvent(t *testing.T) {
	s := &Server{Audit: &heard{}}
	none, some := answered(api.AppliedDefinition{}), answered(api.AppliedDefinition{Commands: []api.StagedCommand{{}}})
	preview := definitionToApply{Body: api.ApplyDefinition{Preview: true}}
	for name, c := range map[string]struct {
		in, out any
		want    bool
	}{
		"a definition that changes nothing": {definitionToApply{}, none, false},
		"a preview":                         {preview, some, false},
		"a definition that is applied":      {definitionToApply{}, some, true},
		"a deploy of what is active":        {imageToDeploy{}, answered(api.Deployed{ReleaseID: 1}), false},
		"a deploy":                          {imageToDeploy{}, answered(api.Deployed{ReleaseID: 1, Commit: &api.Commit{}}), true},
		"what is not answered yet":          {definitionToApply{}, nil, true},
	} {
		if _, ok := s.event(setops.Event{}, idempotency.Unkeyed(), remove("/x", "x", "x"), c.in, c.out); ok != c.want {
			t.Errorf("%s: %v", name, ok)
		}
	}
}

func TestWhatIsMadeIsNamedByTheIDThatItWillHave(t *testing.T) {
	s, r := &Server{Audit: &heard{}}, idempotency.Unkeyed()
	e, _ := s.event(setops.Event{}, r, post("/x", "create-project", "x", http.StatusCreated), newProject{}, nil)
	if e.ProjectID != r.NewID || e.Action != "create project" || e.ID != r.NewID {
		t.Errorf("%+v", e)
	}
	e, _ = s.event(setops.Event{ProjectID: "p-1"}, r, post("/x", "create-stage", "x", http.StatusCreated), newStage{}, nil)
	if e.ProjectID != "p-1" || e.StageID != r.NewID {
		t.Errorf("%+v", e)
	}
}
