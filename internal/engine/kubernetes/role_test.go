package kubernetes

import (
	"os"
	"slices"
	"strings"
	"testing"

	rbac "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// optional is what the server does without where it is not allowed to.
var optional = []string{"list nodes"}

// rules gives those of the ClusterRole in a text, as they stand there.
func rules(t *testing.T, path string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, role, found := strings.Cut(string(text), "kind: ClusterRole\n")
	if !found {
		t.Fatalf("%s has no ClusterRole", path)
	}
	for line := range strings.Lines(role) {
		if strings.HasPrefix(line, "- {apiGroups:") {
			lines = append(lines, strings.TrimSpace(line))
		} else if len(lines) > 0 {
			break
		}
	}
	return lines
}

func permitted(verb, group, resource string) string {
	if group != "" {
		resource += "." + group
	}
	return verb + " " + resource
}

// TestWhatTheServerAsksForIsWhatItIsGiven holds the manifests, the manual and what is looked at at a start together.
func TestWhatTheServerAsksForIsWhatItIsGiven(t *testing.T) {
	manifest, manual := rules(t, "../../../deploy/kubernetes/rbac.yaml"), rules(t, "../../../docs/kubernetes.md")
	if len(manifest) == 0 || !slices.Equal(manifest, manual) {
		t.Errorf("deploy/kubernetes/rbac.yaml and docs/kubernetes.md differ:\n%s\n\n%s", strings.Join(manifest, "\n"), strings.Join(manual, "\n"))
	}
	var given []rbac.PolicyRule
	if err := yaml.UnmarshalStrict([]byte(strings.Join(manifest, "\n")), &given); err != nil {
		t.Fatal(err)
	}
	var has []string
	for _, r := range given {
		for _, verb := range r.Verbs {
			has = append(has, permitted(verb, r.APIGroups[0], r.Resources[0]))
		}
		if len(r.APIGroups) != 1 || len(r.Resources) != 1 || len(r.ResourceNames)+len(r.NonResourceURLs) != 0 {
			t.Errorf("a rule is of one group and one resource each, as they are looked at: %v", r)
		}
	}
	want := slices.Clone(optional)
	for _, need := range slices.Concat(needs, Routing{TCP: TCPByNodePort}.needs(), Routing{By: ByIngress}.needs(), Routing{By: ByGateway}.needs()) {
		for verb := range strings.SplitSeq(need.verbs, " ") {
			want = append(want, permitted(verb, need.group, need.resource))
		}
	}
	slices.Sort(has)
	slices.Sort(want)
	if !slices.Equal(has, want) {
		t.Errorf("given:  %v\nneeded: %v", has, want)
	}
}

func TestTheNameServerIsGivenWhatTheManualSays(t *testing.T) {
	given := rules(t, "../../../deploy/kubernetes/names.yaml")
	manual, err := os.ReadFile("../../../docs/kubernetes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, role, _ := strings.Cut(string(manual), "metadata: {name: setopsd-names}\nrules:\n")
	role, _, _ = strings.Cut(role, "\n```")
	if len(given) == 0 || strings.Join(given, "\n") != role {
		t.Errorf("given: %q, in the manual: %q", given, role)
	}
}
