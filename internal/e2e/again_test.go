package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// TestARequestThatComesAgainIsDoneOnce sends everything that changes something twice under one key, with a restart of the
// server in between.
func TestARequestThatComesAgainIsDoneOnce(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	digest, commit := "", ""
	commands := production + "/changeset/commands"
	for i, step := range []struct{ method, path, body string }{
		{"POST", shop + "/stages", `{"name":"staging"}`},
		{"DELETE", shop + "/stages/staging", ""},
		{"POST", "/v1/organizations/demo/projects", `{"name":"blog"}`},
		{"DELETE", "/v1/organizations/demo/projects/blog", ""},
		{"POST", commands, `{"commands":[{"name":"app:create","arguments":{"name":"web"}}]}`},
		{"DELETE", production + "/changeset", ""},
		{"POST", commands, `{"commands":[{"name":"app:create","arguments":{"name":"web"}}]}`},
		{"POST", production + "/commits", ""},
		{"POST", commands, `{"commands":[{"name":"app:release:create","arguments":{"name":"web","release_digest":"DIGEST"}}]}`},
		{"POST", commands, `{"commands":[{"name":"app:release:set","arguments":{"name":"web","release_id":1}}]}`},
		{"POST", production + "/commits", ""},
		{"POST", production + "/apps/web/tasks", `{"arguments":["exit","0"]}`},
		{"POST", production + "/commits/COMMIT/revert", ""},
		{"DELETE", commands + "/1", ""},
	} {
		if strings.Contains(step.body, "DIGEST") {
			var err error
			if digest, err = w.push(t.Context(), "demo/shop/production/web:v1", admin, passwordOf(admin)); err != nil {
				t.Fatal(err)
			}
		}
		r := request{
			method: step.method, path: strings.ReplaceAll(step.path, "COMMIT", commit), token: token, body: strings.ReplaceAll(step.body, "DIGEST", digest),
			key: fmt.Sprintf("key~%d", i),
		}
		once := w.do(t, r)
		if once.status >= 300 {
			t.Fatalf("%s %s: %d %s", r.method, r.path, once.status, once.body)
		}
		if id := w.endCommit(t, token, once, r); id != "" {
			commit = id
		}
		if err := w.stop(); err != nil {
			t.Fatal(err)
		}
		if err := w.start(); err != nil {
			t.Fatal(err)
		}
		if twice := w.do(t, r); twice.status != once.status || !bytes.Equal(twice.body, once.body) {
			t.Errorf("%s %s: %d %s, then %d %s", r.method, r.path, once.status, once.body, twice.status, twice.body)
		}
	}
}

// endCommit waits for the end of a commit, if it is one that was asked for, and gives its id.
func (w *world) endCommit(t *testing.T, token string, a answer, r request) string {
	t.Helper()
	if !strings.HasSuffix(r.path, "/commits") {
		return ""
	}
	var commit struct{ ID string }
	if err := json.Unmarshal(a.body, &commit); err != nil {
		t.Fatal(err)
	}
	w.must(t, token, "GET", r.path+"/"+commit.ID+"/events", "")
	return commit.ID
}

func TestARevertThatComesAgainHidesWhatIsSecret(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	w.must(t, token, "POST", production+"/changeset/commands", `{"commands":[{"name":"app:create","arguments":{"name":"web"}},
		{"name":"app:env:set","arguments":{"name":"web","key":"A","value":"canary-4711"}}]}`)
	commits := request{method: "POST", path: production + "/commits", token: token}
	id := w.endCommit(t, token, w.do(t, commits), commits)
	revert := request{method: "POST", path: commits.path + "/" + id + "/revert", token: token, key: "k"}
	once, twice := w.do(t, revert), w.do(t, revert)
	if once.status != http.StatusOK || !bytes.Contains(once.body, []byte("canary-4711")) {
		t.Errorf("%d %s", once.status, once.body)
	}
	if twice.status != once.status || bytes.Contains(twice.body, []byte("canary")) || !bytes.Contains(twice.body, []byte(`"hidden":true`)) {
		t.Errorf("%d %s", twice.status, twice.body)
	}
}

func TestACancelThatComesAgainIsAnsweredAsBefore(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	serveWeb(t, w, token)
	digest, err := w.push(t.Context(), "demo/shop/production/web:v2", admin, passwordOf(admin))
	if err != nil {
		t.Fatal(err)
	}
	w.runtime.SetImage(digest, w.gates.image("start", []string{"serve"}))
	w.must(t, token, "POST", production+"/changeset/commands", `{"commands":[
		{"name":"app:network:set","arguments":{"name":"web","public":true}},
		{"name":"app:release:create","arguments":{"name":"web","release_digest":"`+digest+`"}},
		{"name":"app:release:set","arguments":{"name":"web","release_id":2}}]}`)
	commits := request{method: "POST", path: production + "/commits", token: token}
	started := w.do(t, commits)
	var commit struct{ ID string }
	if err := json.Unmarshal(started.body, &commit); err != nil {
		t.Fatal(err)
	}
	cancel := request{method: "POST", path: commits.path + "/" + commit.ID + "/cancel", token: token, key: "k"}
	once := w.do(t, cancel)
	w.endCommit(t, token, started, commits)
	if twice := w.do(t, cancel); once.status != http.StatusOK || twice.status != once.status || !bytes.Equal(twice.body, once.body) {
		t.Errorf("%d %s, then %d %s", once.status, once.body, twice.status, twice.body)
	}
}

func TestARequestThatComesWhileItIsWorkedOnWaits(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	r := request{
		method: "POST", path: production + "/changeset/commands", token: token, key: "k",
		body: `{"commands":[{"name":"app:create","arguments":{"name":"web"}}]}`,
	}
	answers := make([]answer, 8)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = w.do(t, r) })
	}
	all.Wait()
	for _, a := range answers {
		if a.status != http.StatusOK || !bytes.Equal(a.body, answers[0].body) {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if staged := w.must(t, token, "GET", production+"/changeset", ""); bytes.Count(staged, []byte("app:create")) != 1 {
		t.Errorf("%s", staged)
	}
}

func TestAKeyIsForOneRequestOfOneUser(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	create := request{method: "POST", path: shop + "/stages", body: `{"name":"staging"}`, token: token, key: "k"}
	if a := w.do(t, create); a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
	other := create
	other.body = `{"name":"testing"}`
	elsewhere := create
	elsewhere.path, elsewhere.body = "/v1/organizations/demo/projects", `{"name":"staging"}`
	tooLong, blank := create, create
	tooLong.key, blank.key = strings.Repeat("k", 65), "a b"
	for what, r := range map[string]request{"another body": other, "another path": elsewhere, "a long key": tooLong, "a key with a blank": blank} {
		a := w.do(t, r)
		if a.status != http.StatusUnprocessableEntity || len(refused(t, a).ValidationErrors["idempotency_key"]) != 1 {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	create.token = "sops_none"
	if a := w.do(t, create); a.status != http.StatusUnauthorized {
		t.Errorf("without a session: %d %s", a.status, a.body)
	}
	if err := w.addUser(t.Context(), "bob@example.com"); err != nil {
		t.Fatal(err)
	}
	bob, err := w.signIn(t.Context(), "bob@example.com")
	if err != nil {
		t.Fatal(err)
	}
	create.token = bob
	if a := w.do(t, create); a.status != http.StatusNotFound {
		t.Errorf("somebody else with the key: %d %s", a.status, a.body)
	}
}
