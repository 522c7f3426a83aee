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
	digest := ""
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
	} {
		if strings.Contains(step.body, "DIGEST") {
			var err error
			if digest, err = w.push(t.Context(), "demo/shop/production/web:v1", admin, passwordOf(admin)); err != nil {
				t.Fatal(err)
			}
		}
		r := request{
			method: step.method, path: step.path, body: strings.ReplaceAll(step.body, "DIGEST", digest), token: token,
			key: fmt.Sprintf("key~%d", i),
		}
		once := w.do(t, r)
		if once.status >= 300 {
			t.Fatalf("%s %s: %d %s", r.method, r.path, once.status, once.body)
		}
		w.endCommits(t, token, once, r)
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

// endCommits waits for the end of a commit, if it is one that was asked for.
func (w *world) endCommits(t *testing.T, token string, a answer, r request) {
	t.Helper()
	if !strings.HasSuffix(r.path, "/commits") {
		return
	}
	var commit struct{ ID string }
	if err := json.Unmarshal(a.body, &commit); err != nil {
		t.Fatal(err)
	}
	w.must(t, token, "GET", r.path+"/"+commit.ID+"/events", "")
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
