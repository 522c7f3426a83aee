package kubernetes

import (
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

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
