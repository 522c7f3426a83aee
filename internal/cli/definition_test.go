package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/setopsco/setops/pkg/api"
)

func TestADefinitionIsSentWithTheSecretsThatItNames(t *testing.T) {
	s := newSession(t)
	s.set("SETOPS_SECRET_TOKEN", "hush")
	s.set("SETOPS_SECRET_OTHER", "of no concern")
	r := s.run("--debug", "-p", "shop", "-s", "unchanged", "stage:apply", "-f", "setops.yml", "-t", "web=v1,worker=v2", "-t", "cron=v3")
	r.want(t, 0)
	body := s.server.last(t, "POST").body
	for _, part := range []string{`"secrets":{"TOKEN":"hush"}`, `"file":"setops.yml"`, `"image_tags":{"cron":"v3","web":"v1","worker":"v2"}`, `"preview":true`} {
		if !strings.Contains(body, part) {
			t.Errorf("sent %s without %s", body, part)
		}
	}
	if strings.Contains(r.stderr+r.stdout, "hush") {
		t.Errorf("the secret is shown: %s%s", r.stdout, r.stderr)
	}
	if got := api.SecretNames("{{.Secrets.B}} {{ .Secrets.A }} .Secrets.B .Secret.C .Secrets.1"); fmt.Sprint(got) != "[A B]" {
		t.Errorf("names %v", got)
	}
}

func TestADefinitionComesFromStandardInputToo(t *testing.T) {
	s := newSession(t)
	s.stdin = "schema_version: 2\ncolour: red\n"
	s.run("-p", "shop", "-s", "production", "stage:apply", "-f", "-", "--auto-approve").want(t, 1, "\n   stdin:2:1: colour: there is no such field; allowed: apps.")
	s.stdin = " \n"
	s.run("-p", "shop", "-s", "production", "stage:apply", "-f", "-").want(t, 1, "stdin is empty", "stage:dump")
	s.run("-p", "shop", "-s", "production", "stage:apply", "-f", "gone.yml").want(t, 1, "gone.yml: no such file")
}

func TestWhatCannotBeAppliedIsNotAskedFor(t *testing.T) {
	s := newSession(t)
	for line, says := range map[string]string{
		"setops stage:apply":                          "Add -f FILE, or -t APP=TAG",
		"setops stage:apply -t web":                   "APP=TAG",
		"setops stage:apply -t =v1":                   "APP=TAG",
		"setops stage:apply -t web=":                  "APP=TAG",
		"setops stage:apply -t web=v1,web=v2":         "An app runs one image",
		"setops -p shop -s x stage:apply -f a b":      "does not take",
		"setops -s x stage:apply -t web=v1":           "No project is given",
		"setops -p shop stage:apply -f setops.yml":    "No stage is given",
		"setops -p shop -s x stage:apply --file a -x": "has no flag",
	} {
		s.typed(line).want(t, 1, says)
	}
	if sent := s.server.sent(); len(sent) > 0 {
		t.Errorf("sent %v", sent)
	}
}

func TestACommitOfADefinitionThatComesTooLateIsTriedAgain(t *testing.T) {
	s := newSession(t)
	r := s.run("-p", "shop", "-s", "stale", "stage:apply", "-f", "setops.yml", "--auto-approve")
	r.want(t, 1, "the definition is applied anew")
	if n := strings.Count(fmt.Sprint(s.server.sent()), "POST /v1/organizations/demo/projects/shop/stages/stale/definition"); n != 5 {
		t.Errorf("applied %d times", n)
	}
}

func TestADefinitionIsCommittedByTheRequestThatAppliesIt(t *testing.T) {
	const apply = "setops -p shop -s %s stage:apply -f setops.yml --auto-approve"
	for stage, commits := range map[string]int{"production": 0, "older": 1} { // an older server only stages
		s := newSession(t)
		s.typed(fmt.Sprintf(apply, stage)).want(t, 0)
		asked := strings.Count(fmt.Sprint(lines(s.server.sent())), "POST /v1/organizations/demo/projects/shop/stages/"+stage+"/commits")
		if asked != commits {
			t.Errorf("on stage %s %d commits were asked for besides, not %d: %v", stage, asked, commits, s.server.sent())
		}
	}
}
