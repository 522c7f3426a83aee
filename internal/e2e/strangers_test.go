package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/setops"
)

const staging = shop + "/stages/staging"

// commitOnce stages an app, commits it and gives the commit's id when it has ended.
func (w *world) commitOnce(t *testing.T, token, stage, app string) string {
	t.Helper()
	w.must(t, token, "POST", stage+"/changeset/commands", `{"commands":[{"name":"app:create","arguments":{"name":"`+app+`"}}]}`)
	var c struct{ ID string }
	if err := json.Unmarshal(w.must(t, token, "POST", stage+"/commits", ""), &c); err != nil {
		t.Fatal(err)
	}
	w.must(t, token, "GET", stage+"/commits/"+c.ID+"/events", "") // until it ends
	return c.ID
}

// ofCommits are all requests about a commit.
func ofCommits(stage, id, token string) []request {
	one := stage + "/commits/" + id
	return []request{
		{method: "GET", path: one, token: token},
		{method: "GET", path: one + "/details", token: token},
		{method: "GET", path: one + "/events", token: token},
		{method: "POST", path: one + "/cancel", token: token},
		{method: "POST", path: one + "/revert", token: token, body: `{"to":true,"force":true}`},
		{method: "GET", path: stage + "/commits?before=" + id, token: token},
	}
}

func TestACommitIsReachedOnItsOwnStageOnly(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	w.must(t, token, "POST", shop+"/stages", `{"name":"staging"}`)
	secret := w.commitOnce(t, token, production, "hidden")
	const bob = "bob@example.com"
	if err := w.addUser(t.Context(), bob); err != nil {
		t.Fatal(err)
	}
	if err := w.grant(t.Context(), bob, "shop/staging", setops.Admin); err != nil {
		t.Fatal(err)
	}
	stranger, err := w.signIn(t.Context(), bob)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{secret, secret[:8], secret[:1]} {
		for stage, code := range map[string]string{production: "StageDoesNotExist", staging: "CommitNotFound"} {
			for _, r := range ofCommits(stage, id, stranger) {
				a := w.do(t, r)
				if a.status != http.StatusNotFound || *refused(t, a).Code != code || bytes.Contains(a.body, []byte("hidden")) {
					t.Errorf("%s %s: %d %s", r.method, r.path, a.status, a.body)
				}
			}
		}
	}
	if c := w.must(t, token, "GET", production+"/commits/"+secret, ""); !bytes.Contains(c, []byte(`"state":"done"`)) {
		t.Errorf("%s", c)
	}
}

func TestABeginningOfAnIDIsNoPattern(t *testing.T) {
	t.Parallel()
	w, token := withStage(t)
	id := w.commitOnce(t, token, production, "web")
	for _, r := range ofCommits(production, id[:9], token)[:2] {
		if a := w.do(t, r); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", r.path, a.status, a.body)
		}
	}
	for _, pattern := range []string{"%25", "_", id[:4] + "%25", id[:4] + "_", strings.ToUpper(id) + "A", "%00", "%27%20OR%201=1--", "%5C", strings.Repeat("a", 64), "%C3%A9"} {
		for _, r := range ofCommits(production, pattern, token) {
			if a := w.do(t, r); a.status != http.StatusNotFound || *refused(t, a).Code != "CommitNotFound" {
				t.Errorf("%s: %d %s", r.path, a.status, a.body)
			}
		}
	}
	for _, r := range ofCommits(production, strings.Repeat("a", 65), token) {
		if a := w.do(t, r); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", r.path, a.status, a.body)
		}
	}
}
