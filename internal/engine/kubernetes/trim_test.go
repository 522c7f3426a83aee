package kubernetes

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// A pod that was trimmed says of its task what it said before.
func TestAPodThatIsTrimmedTellsTheSame(t *testing.T) {
	text, err := os.ReadFile("testdata/pod.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var pod core.Pod // that fails, and is evicted
	if err := yaml.UnmarshalStrict(text, &pod); err != nil {
		t.Fatal(err)
	}
	trimmed, e := trimPod(&pod), &Engine{}
	if was, is := size(t, &pod), size(t, trimmed); is > was/2 {
		t.Errorf("it has %d bytes of %d", is, was)
	}
	for what, tell := range map[string]func(*core.Pod) any{
		"runs":    func(p *core.Pod) any { return runsOf(p) },
		"facts":   func(p *core.Pod) any { return factsOf(p) },
		"key":     func(p *core.Pod) any { return keyOf(p) },
		"ready":   func(p *core.Pod) any { return isReady(p) },
		"lost":    func(p *core.Pod) any { return isLost(p) },
		"ending":  func(p *core.Pod) any { return (&attendant{e: e, gen: &generation{}, pod: p}).sigtermAt() },
		"ends":    func(p *core.Pod) any { return (&attendant{pod: p}).deletionReason() },
		"task":    func(p *core.Pod) any { return (&attendant{pod: p}).describe("id", run{}) },
		"waiting": func(p *core.Pod) any { return condition(p, core.PodScheduled).Message },
	} {
		if was, is := tell(&pod), tell(trimmed); !reflect.DeepEqual(is, was) {
			t.Errorf("%s: %+v\nand before %+v", what, is, was)
		}
	}
}

func size(t *testing.T, pod *core.Pod) int {
	t.Helper()
	text, err := json.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	return len(text)
}
