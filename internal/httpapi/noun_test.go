package httpapi

import "testing"

func TestOperationsAreFoundByTheirNoun(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/sessions":                     "sessions",
		"/v1/invitations/accept":           "invitations",
		projects:                           "projects",
		projects + "/{project}":            "projects",
		stage:                              "stages",
		stage + "/changeset/plan":          "changeset",
		stage + "/commits/{id}/events":     "commits",
		oneApp:                             "apps",
		oneApp + "/tasks/{id}":             "tasks",
		"/v1/organizations/{organization}": "organizations",
	} {
		if got := nounOf(path); got != want {
			t.Errorf("%s is about %q, want %q", path, got, want)
		}
	}
}
