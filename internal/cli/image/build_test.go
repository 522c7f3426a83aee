//go:build unix

package image

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// fakes puts programs into the path that stand for docker and pack: they write down their arguments, and docker save gives
// the archive $IMAGE.
func fakes(t *testing.T, names ...string) (calls func() string) {
	t.Helper()
	bin := t.TempDir()
	const script = `#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$1" in
version) echo "${PLATFORM:-linux/amd64}";;
save) [ "$4" != gone ] || { echo "Error: No such image: gone" >&2; exit 1; }; cp "$IMAGE" "$3";;
build) echo "building"; [ -z "$BROKEN" ] || exit 3; [ "$2" != --iidfile ] || echo sha256:built > "$3";;
esac
`
	for _, n := range names {
		must(t, os.WriteFile(filepath.Join(bin, n), []byte(script), 0o755))
	}
	log := filepath.Join(bin, "calls")
	t.Setenv("CALLS", log)
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	if len(names) < 2 { // a machine without the other one
		tools := t.TempDir()
		for _, tool := range []string{"sh", "basename", "cp", "echo"} {
			must(t, os.Symlink(filepath.Join("/bin", tool), filepath.Join(tools, tool)))
		}
		t.Setenv("PATH", bin+":"+tools)
	}
	return func() string {
		text, err := os.ReadFile(log)
		must(t, err)
		var masked []string
		for line := range strings.Lines(string(text)) {
			words := strings.Fields(line)
			for i, w := range words {
				if strings.HasPrefix(w, os.TempDir()) {
					words[i] = filepath.Base(w)
				}
			}
			masked = append(masked, strings.Join(words, " "))
		}
		return strings.Join(masked, "\n")
	}
}

// savedImage is what docker save gives.
func savedImage(t *testing.T, platform string) (digest string) {
	t.Helper()
	image := made(t, platform, 1)
	path := filepath.Join(t.TempDir(), "saved.tar")
	must(t, tarball.WriteToFile(path, tagged(t, "web:v9"), image))
	t.Setenv("IMAGE", path)
	return digestOf(t, image)
}

func opened(t *testing.T, s Source, digest, tag string) {
	t.Helper()
	o, err := s.Open(t.Context(), amd64)
	must(t, err)
	if digestOf(t, o) != digest || o.Tag != tag {
		t.Errorf("digest %s, tag %q", digestOf(t, o), o.Tag)
	}
	must(t, o.Close())
}

func TestAnImageIsTakenOutOfDocker(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	calls := fakes(t, "docker")
	opened(t, inDocker{name: "web:v9"}, savedImage(t, "linux/amd64"), "v9")
	if got := calls(); got != "docker save --output image.tar web:v9" {
		t.Errorf("called:\n%s", got)
	}
	if _, err := (inDocker{name: "gone"}).Open(t.Context(), amd64); err == nil || err.Error() != "docker does not give out gone: Error: No such image: gone" {
		t.Errorf("got %v", err)
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "setops-deploy-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDockerBuildsForTheServer(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, test := range []struct{ platform, calls string }{
		{"linux/amd64", "docker version --format {{.Server.Os}}/{{.Server.Arch}}\n" +
			"docker build --iidfile id --file a/Dockerfile.web --build-arg A=1 --build-arg B a\ndocker save --output image.tar sha256:built"},
		{"linux/arm64", "docker version --format {{.Server.Os}}/{{.Server.Arch}}\n" +
			"docker build --iidfile id --platform linux/amd64 --file a/Dockerfile.web --build-arg A=1 --build-arg B a\ndocker save --output image.tar sha256:built"},
	} {
		t.Setenv("PLATFORM", test.platform)
		calls := fakes(t, "docker", "pack")
		var out bytes.Buffer
		b := DockerBuild{Dir: "a", File: "a/Dockerfile.web", Args: []string{"A=1", "B"}, Out: &out}
		opened(t, b, savedImage(t, "linux/amd64"), "")
		if got := calls(); got != test.calls || out.String() != "building\n" {
			t.Errorf("called:\n%s\nprinted: %s", got, out.String())
		}
	}
}

func TestPackBuildsWithItsFlags(t *testing.T) {
	calls := fakes(t, "docker", "pack")
	b := PackBuild{
		Dir: "a", Name: "setops/web", Builder: "b", Buildpacks: []string{"x", "y"}, Env: []string{"K=V", "L"}, EnvFile: "f", Out: &bytes.Buffer{},
	}
	opened(t, b, savedImage(t, "linux/amd64"), "")
	want := "pack build setops/web --path a --builder b --buildpack x --buildpack y --env K=V --env L --env-file f\ndocker save --output image.tar setops/web"
	if got := calls(); got != want {
		t.Errorf("called:\n%s", got)
	}
}

func TestABuildThatFailsSaysSo(t *testing.T) {
	fakes(t, "docker", "pack")
	t.Setenv("BROKEN", "1")
	for _, s := range []Source{DockerBuild{Dir: "a", Out: &bytes.Buffer{}}, PackBuild{Dir: "a", Name: "n", Out: &bytes.Buffer{}}} {
		if _, err := s.Open(t.Context(), amd64); err == nil || !strings.Contains(err.Error(), "exit code 3") {
			t.Errorf("%s: %v", s, err)
		}
	}
	fakes(t, "docker")
	if _, err := (PackBuild{Dir: "a"}).Open(t.Context(), amd64); err == nil || !strings.Contains(err.Error(), "pack is not in the path: see buildpacks.io") {
		t.Errorf("got %v", err)
	}
	fakes(t, "pack")
	if _, err := (DockerBuild{Dir: "a"}).Open(t.Context(), amd64); err == nil || !strings.Contains(err.Error(), "docker is not in the path") {
		t.Errorf("got %v", err)
	}
	if _, err := (inDocker{name: "web:1"}).Open(t.Context(), amd64); err == nil || !strings.Contains(err.Error(), "needs the program docker") {
		t.Errorf("got %v", err)
	}
}
