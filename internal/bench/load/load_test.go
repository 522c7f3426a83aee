package load_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/bench/load"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// server keeps changesets as a server does, one per token and stage, and can be told to spoil what it keeps.
type server struct {
	mu      sync.Mutex
	staged  map[string][]api.StagedCommand
	commits []api.Commit
	n       int
	spoil   func(n int, all []api.StagedCommand) []api.StagedCommand // after the n-th command
	status  int                                                      // of reads of an app, where not 0
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/organizations/demo/projects/p/stages/"), "/")
	whose := r.Header.Get("Authorization") + path[0]
	switch what := strings.Join(path[1:], "/"); {
	case what == "changeset/commands":
		s.stage(r, whose)
		_ = json.NewEncoder(w).Encode(api.Staged{Effects: make([]api.Effect, 1)})
	case what == "changeset" && s.staged[whose] == nil:
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"type":"StateError","code":"ChangesetDoesNotExist","temporary":false,"request_id":"abcd1234"}`)
	case what == "changeset":
		_ = json.NewEncoder(w).Encode(api.Changeset{Commands: s.staged[whose]})
	case what == "commits":
		c := api.Commit{ID: fmt.Sprint(len(s.commits)), Changeset: api.Changeset{Commands: s.staged[whose]}}
		s.commits, s.staged[whose] = append(s.commits, c), nil
		_ = json.NewEncoder(w).Encode(c)
	case strings.HasSuffix(what, "/events"):
		_, _ = fmt.Fprint(w, "event: progress\ndata: {\"state\":\"done\"}\n\n")
	case path[1] == "commits":
		i := slices.IndexFunc(s.commits, func(c api.Commit) bool { return c.ID == path[2] })
		_ = json.NewEncoder(w).Encode(s.commits[i])
	default:
		if s.status != 0 && what == "apps/web" {
			w.WriteHeader(s.status)
			s.status = 0
		}
		_, _ = fmt.Fprint(w, `{}`)
	}
}

func (s *server) stage(r *http.Request, whose string) {
	var body api.StageCommands
	_ = json.NewDecoder(r.Body).Decode(&body)
	var arguments map[string]any
	_ = json.Unmarshal(body.Commands[0].Arguments, &arguments)
	s.staged[whose] = append(s.staged[whose], api.StagedCommand{Name: body.Commands[0].Name, Arguments: arguments})
	s.n++
	if s.spoil != nil {
		s.staged[whose] = s.spoil(s.n, s.staged[whose])
	}
}

func run(t *testing.T, s *server) load.Report {
	t.Helper()
	s.staged = map[string][]api.StagedCommand{}
	h := httptest.NewServer(s)
	defer h.Close()
	r, err := load.Run(t.Context(), load.Config{
		URL: h.URL, Project: client.ProjectRef{Organization: "demo", Project: "p"}, Stages: 2, Tokens: []string{"a", "b", "c"}, Operations: 100,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAServerThatKeepsAllIsFoundToBeRight(t *testing.T) {
	r := run(t, &server{})
	if len(r.Lost)+len(r.Faults) > 0 || r.Operations() != 300 || r.Staged < 30 || r.Commits < 3 || r.Committed < r.Commits {
		t.Errorf("%+v", r)
	}
}

func TestACommandThatIsLostDoubledOrMovedIsFound(t *testing.T) {
	for name, spoil := range map[string]func([]api.StagedCommand) []api.StagedCommand{
		"lost":    func(all []api.StagedCommand) []api.StagedCommand { return all[:len(all)-1] },
		"doubled": func(all []api.StagedCommand) []api.StagedCommand { return append(all, all[len(all)-1]) },
		"moved": func(all []api.StagedCommand) []api.StagedCommand {
			slices.Reverse(all)
			return all
		},
	} {
		done := false
		r := run(t, &server{spoil: func(n int, all []api.StagedCommand) []api.StagedCommand {
			if done || n < 10 || len(all) < 2 {
				return all
			}
			done = true
			return spoil(all)
		}})
		if len(r.Lost) != 1 {
			t.Errorf("%s: %v", name, r.Lost)
		}
	}
}

func TestAnAnswerOfAServerThatFailsIsCounted(t *testing.T) {
	r := run(t, &server{status: http.StatusBadGateway})
	if len(r.Faults) != 1 || !strings.Contains(r.Faults[0], "502") {
		t.Errorf("%v", r.Faults)
	}
}

func TestAPercentileIsATimeThatWasMeasured(t *testing.T) {
	r := load.Report{Reads: []time.Duration{1, 2, 3, 4}}
	if r.Percentile(50) != 3 || r.Percentile(99) != 4 || (load.Report{}).Percentile(99) != 0 {
		t.Errorf("%d %d", r.Percentile(50), r.Percentile(99))
	}
}
