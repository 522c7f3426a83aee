//go:build linux

package guide_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/setopsco/setops/internal/guide"
)

const root = "../.."

func TestTheGuideToDeploymentIsTrue(t *testing.T) {
	needRoot(t)
	needTools(t, "gcc", "skopeo", "curl", "nft")
	text, err := os.ReadFile(filepath.Join(root, "docs", "app-deployment.md"))
	if err != nil {
		t.Fatal(err)
	}
	steps, err := guide.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	docker := os.Getenv("SETOPS_TEST_DOCKER") != ""
	if docker {
		needTools(t, "docker")
	}
	player, err := guide.NewPlayer(guide.Config{Programs: programs(t), Root: root, Out: t.Output(), Docker: docker})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := player.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := player.Play(t.Context(), steps); err != nil {
		t.Fatal(err)
	}
}

// programs builds what the guide runs, so that no old program is tested. The server finds the shim beside itself.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"setops", "setopsd", "setops-shim"} {
		c := exec.Command("go", "build", "-tags", "seccomp netgo osusergo",
			"-ldflags", "-linkmode external -extldflags -static", "-o", filepath.Join(dir, name), "./cmd/"+name)
		c.Dir = root
		c.Env = append(os.Environ(), "CGO_ENABLED=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v: %s", name, err, out)
		}
	}
	return dir
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		leaveOut(t, "the embedded engine needs root")
	}
}

func needTools(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			leaveOut(t, name+" is not installed")
		}
	}
}

// leaveOut skips a test, unless none may be left out.
func leaveOut(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("SETOPS_TEST_ALL") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}
