package kit

import (
	"slices"
	"testing"
)

func TestAQuestionIsAboutTheNearestNamesAndAtMostThree(t *testing.T) {
	for _, c := range []struct {
		typed       string
		names, want []string
	}{
		{"wbe", []string{"web", "wbe2", "worker"}, []string{"wbe2", "web"}},
		{"change:commit", []string{"changeset:attach", "changeset:cancel", "changeset:commit"}, []string{"changeset:commit"}},
		{"w", []string{"w1", "w2", "w3", "w4"}, []string{"w1", "w2", "w3"}},
		{"WEB", []string{"website", "webs"}, []string{"webs"}},
		{"web", nil, nil},
	} {
		if got := best(c.names, c.typed); !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.typed, got, c.want)
		}
	}
}
