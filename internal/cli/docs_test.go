package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/setopsco/setops/pkg/api"
)

func TestEveryPageOfTheManualCanBeReadWithoutAServer(t *testing.T) {
	s := newSession(t)
	s.server.Close()
	var list api.ManualTopicList
	if err := json.Unmarshal([]byte(s.run("docs", "-o", "json").stdout), &list); err != nil || len(list.Topics) < 15 {
		t.Fatalf("%d topics, %v", len(list.Topics), err)
	}
	for _, topic := range list.Topics {
		r := s.run("docs", topic.Name)
		r.want(t, 0)
		if lines := strings.Count(r.stdout, "\n"); lines < 10 || strings.Contains(r.stdout, "```") || strings.Contains(r.stdout, "\x1b") {
			t.Errorf("docs %s: %d lines: %s", topic.Name, lines, r.stdout)
		}
	}
	s.run("docs", "docs/Rollback.md").want(t, 0)
	s.run("docs", "rolback").want(t, 1, "The manual has no page \"rolback\". Did you mean `setops docs rollback`?")
	s.run("docs", "something").want(t, 1, "Type `setops docs` for the list of topics.")
}
