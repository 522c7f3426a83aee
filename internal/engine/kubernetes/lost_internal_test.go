package kubernetes

import (
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/setopsco/setops/internal/engine"
)

// A node that has not read the secret of a new stage pulls again, which a short start timeout does not have to allow for.
func TestAPullWithoutTheSecretOfTheStageIsTriedAgain(t *testing.T) {
	const refused, unread = "failed to authorize: 401", "failed to authorize: failed to fetch anonymous token: 401"
	for _, test := range []struct {
		name     string
		messages []string
		age      time.Duration
		final    bool
	}{
		{"refused, in time", []string{refused}, 4 * time.Second, false},
		{"refused, late", []string{refused}, 6 * time.Second, true},
		{"unread", []string{unread}, 6 * time.Second, false},
		{"unread before", []string{unread, "Back-off pulling image"}, 6 * time.Second, false},
		{"unread, late", []string{unread}, readsAgain + time.Second, true},
	} {
		g := &generation{kept: true, Generation: engine.Generation{StartTimeout: 5 * time.Second}}
		a := &attendant{e: &Engine{}, gen: g, current: &task{gen: g}, pod: &core.Pod{}}
		a.pod.CreationTimestamp = meta.NewTime(time.Now().Add(-test.age))
		var final bool
		for _, message := range test.messages {
			final = a.obstacle(run{reason: "ErrImagePull", message: message}, message).Final
		}
		if final != test.final || (a.look == nil) != test.final {
			t.Errorf("%s: %t", test.name, final)
		}
	}
}

func TestANodeIsBlamedWhenItHadTimeToSpeak(t *testing.T) {
	placed := func(status core.ConditionStatus, ago time.Duration) *core.Pod {
		return trimPod(&core.Pod{Status: core.PodStatus{Conditions: []core.PodCondition{
			{Type: core.PodScheduled, Status: status, LastTransitionTime: meta.NewTime(time.Now().Add(-ago))},
		}}})
	}
	for _, test := range []struct {
		name string
		pod  *core.Pod
		want bool
	}{
		{"just placed", placed(core.ConditionTrue, 0), false},
		{"long there", placed(core.ConditionTrue, silentAfter+time.Second), true},
		{"fits no node", placed(core.ConditionFalse, time.Hour), false},
		{"nobody has looked", &core.Pod{}, false},
	} {
		if got := isPlacedFor(test.pod, silentAfter); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
	}
}
