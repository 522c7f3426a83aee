package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	kubernetesVersion = "1.37.2"
	gatewayModule     = "sigs.k8s.io/gateway-api@v1.6.3"
	source            = "github.com/setopsco/setops/internal/engine/kubernetes/cluster"

	// buildTime is what compiling Kubernetes may take. On two processors that do nothing else it is nine minutes.
	buildTime = time.Hour
)

// build compiles what a cluster runs into a directory of the user's cache, and returns it. What is there already for these sources,
// versions and Go is used as it is.
func build(ctx context.Context, progress func(string)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, buildTime)
	defer cancel()
	box, err := output(ctx, "", "go", "list", "-f", "{{.Dir}}/box", source)
	if err != nil {
		return "", fmt.Errorf("find the sources of the cluster: %w", err)
	}
	dir, err := cached(box)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err != nil {
		progress("Compiling Kubernetes " + kubernetesVersion + ", once; about ten minutes…")
		if err := compile(ctx, box, dir); err != nil {
			return "", err
		}
	}
	// These two are ours and small; Go's own cache knows whether they have changed.
	for _, own := range []string{"machine", "pause"} {
		if _, err := output(ctx, filepath.Dir(box), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir+"/", "./"+own); err != nil {
			return "", fmt.Errorf("compile %s: %w", own, err)
		}
	}
	return dir, nil
}

// cached names the directory of a state of the sources.
func cached(box string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOARCH, gatewayModule)
	err = fs.WalkDir(os.DirFS(box), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(box, name))
		fmt.Fprintf(sum, "%s %d %s\n", name, len(content), content)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the sources of the cluster: %w", err)
	}
	return filepath.Join(cache, "setops-kubernetes", fmt.Sprintf("%s-%x", kubernetesVersion, sum.Sum(nil)[:6])), nil
}

// compile leaves all or nothing at dir. It gives way to whatever else the machine does.
func compile(ctx context.Context, box, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	making, err := os.MkdirTemp(filepath.Dir(dir), "making-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(making)
	version := "k8s.io/component-base/version"
	minor := strings.Split(kubernetesVersion, ".")[1]
	flags := fmt.Sprintf("-X %[1]s.gitVersion=v%[2]s -X %[1]s.gitMajor=1 -X %[1]s.gitMinor=%[3]s", version, kubernetesVersion, minor)
	if err := compileModule(ctx, box, making, flags, "./..."); err != nil {
		return err
	}
	// It wants other versions of what both need.
	if err := compileModule(ctx, filepath.Join(box, "containerd"), making, ""); err != nil {
		return err
	}
	if err := os.Symlink("kubernetes", filepath.Join(making, "kubectl")); err != nil {
		return err
	}
	if err := collect(ctx, box, making); err != nil {
		return err
	}
	if err := os.Chmod(making, 0o755); err != nil {
		return err
	}
	return os.Rename(making, dir)
}

// compileModule compiles the programs that a module names as its tools, and others.
func compileModule(ctx context.Context, dir, to, flags string, others ...string) error {
	argv := []string{"nice", "-n", "15", "go", "build", "-trimpath", "-ldflags", "-s -w " + flags, "-o", to + "/", "tool"}
	if _, err := output(ctx, dir, append(argv, others...)...); err != nil {
		return fmt.Errorf("compile what a cluster runs: %w", err)
	}
	return nil
}

// collect takes definitions of resources out of the modules that they belong to.
func collect(ctx context.Context, box, dir string) error {
	kwok, err := output(ctx, box, "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok")
	if err != nil {
		return err
	}
	described, err := output(ctx, box, "go", "mod", "download", "-json", gatewayModule)
	if err != nil {
		return err
	}
	var gateway struct{ Dir string }
	if err := json.Unmarshal([]byte(described), &gateway); err != nil {
		return fmt.Errorf("find %s: %w", gatewayModule, err)
	}
	for name, from := range map[string]string{
		"kwok.yaml": kwok + "/kustomize/crd", "stages.yaml": kwok + "/kustomize/stage/fast", "gateway.yaml": gateway.Dir + "/config/crd",
	} {
		text, err := output(ctx, dir, filepath.Join(dir, "kubectl"), "kustomize", from)
		if err != nil {
			return fmt.Errorf("read the definitions in %s: %w", from, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// output is what a command writes, without the last line's end. An error has what it wrote as an error.
func output(ctx context.Context, dir string, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var errors bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &errors
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(argv[:min(3, len(argv))], " "), err, errors.String())
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}
