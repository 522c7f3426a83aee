package kubernetes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/version"
)

func TestAClusterIsNewEnough(t *testing.T) {
	for minor, old := range map[string]bool{"33": true, "33+": true, "34": false, "37+": false, "": false} {
		if got := tooOld(version.Info{Major: "1", Minor: minor}); got != old {
			t.Errorf("1.%s: %t", minor, got)
		}
	}
}

func TestAClusterThatCannotBeHadSaysWhy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := Check(t.Context(), path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("no file: %v", err)
	}
	text := "clusters: [{name: x, cluster: {server: 'http://127.0.0.1:1'}}]\ncontexts: [{name: x, context: {cluster: x}}]\ncurrent-context: x\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Check(t.Context(), path); err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:1 does not answer") {
		t.Errorf("nobody there: %v", err)
	}
}
