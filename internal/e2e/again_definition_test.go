package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/setopsco/setops/pkg/api"
)

// TestADefinitionIsCommittedOnce sends a definition twice that is to be committed at once.
func TestADefinitionIsCommittedOnce(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	apply := request{
		method: "POST", path: production + "/definition?commit=true&message=first", token: token, key: "k",
		body: `{"definition":"{\"schema_version\":\"2\",\"project\":\"shop\",\"stage\":\"production\",\"apps\":{\"web\":{\"env\":{\"A\":{\"value\":\"canary-4711\"}}}}}"}`,
	}
	once, first := w.applied(t, apply)
	if first.Commit == nil || first.Commit.Message != "first" || !first.Commit.Definition || !bytes.Contains(once.body, []byte("canary-4711")) {
		t.Fatalf("%s", once.body)
	}
	events := string(w.must(t, token, "GET", production+"/commits/"+first.Commit.ID+"/events", ""))
	if last := events[strings.LastIndex(events, "data:"):]; !strings.Contains(last, `"commit":{"id":"`+first.Commit.ID+`","state":"done"`) {
		t.Errorf("the last event has no commit: %s", last)
	}
	twice, second := w.applied(t, apply)
	if second.Commit == nil || second.Commit.ID != first.Commit.ID || bytes.Contains(twice.body, []byte("canary")) {
		t.Errorf("the second time: %s", twice.body)
	}
	if list := w.must(t, token, "GET", production+"/commits", ""); bytes.Count(list, []byte(`"state":"done"`)) != 1 {
		t.Errorf("not one commit: %s", list)
	}
	if audit := w.must(t, token, "GET", production+"/audit", ""); !bytes.Contains(audit, []byte("commit "+first.Commit.ID)) {
		t.Errorf("nobody hears of the commit: %s", audit)
	}
	apply.key = "another"
	if _, third := w.applied(t, apply); third.Commit != nil || len(third.Commands) > 0 {
		t.Errorf("what is so already is committed: %+v", third)
	}
}

func (w *world) applied(t *testing.T, r request) (answer, api.AppliedDefinition) {
	t.Helper()
	a := w.do(t, r)
	var applied api.AppliedDefinition
	if err := json.Unmarshal(a.body, &applied); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return a, applied
}
