package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// imageFile writes an archive of an image with two layers, and gives its digest.
func imageFile(t *testing.T, platform string) (path, digest string) {
	t.Helper()
	image, err := random.Image(2000, 2)
	if err != nil {
		t.Fatal(err)
	}
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = p.OS, p.Architecture
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("web:v1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "image.tar")
	if err := tarball.WriteToFile(path, tag, image); err != nil {
		t.Fatal(err)
	}
	d, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return path, d.String()
}

func (s *session) deploy(stage string, args ...string) result {
	return s.at(stage, append([]string{"--app", "web", "release:deploy"}, args...)...)
}

func TestAnImageIsPushedAndDeployedInOneGo(t *testing.T) {
	s := newSession(t)
	path, pushed := imageFile(t, "linux/amd64")
	r := s.deploy("production", path, "-m", "Prices")
	r.want(t, 0, "Reading "+path, "Pushing to SERVER/demo/shop/production/web…", "Pushing… 75 % of", "Pushed 2 layers", "Deploying release 3",
		"Initializing…", "Applying… (3/3)", "Release 3 is active.")
	if r.stdout != "ReleaseID:   3\nDigest:      "+digest+"\n" {
		t.Errorf("standard output is %q", r.stdout)
	}
	if got := s.server.last(t, "POST").body; got != `{"image":"`+pushed+`","message":"Prices"}` {
		t.Errorf("sent %s", got)
	}
	ref, err := name.ParseReference(strings.TrimPrefix(s.server.URL, "http://") + "/demo/shop/production/web:v1.2.0")
	if err != nil {
		t.Fatal(err)
	}
	there, err := remote.Head(ref, remote.WithAuth(authn.FromConfig(authn.AuthConfig{RegistryToken: token})))
	if err != nil || there.Digest.String() != pushed {
		t.Errorf("%+v, %v", there, err)
	}
	s.deploy("production", path).want(t, 0, "Pushed no layer; 2 layers there already.")
	if r := s.deploy("production", "-q", path); r.code != 0 || r.stderr != "" {
		t.Errorf("with -q: %+v", r)
	}
}

func TestWhatIsPushedAlreadyTakesTwoRequests(t *testing.T) {
	s := newSession(t)
	s.deploy("production", "v1.2.0", "--", "rake", "db:migrate").want(t, 0)
	sent := s.server.sent()
	if len(sent) != 3 || sent[0].body != `{"image":"v1.2.0","before":["rake","db:migrate"],"message":"Deploy v1.2.0"}` || !strings.HasSuffix(sent[1].line, "/events") ||
		!strings.HasSuffix(sent[2].line, "/details") { // the log of a task that was over too soon
		t.Errorf("sent %+v", sent)
	}
}

func TestAnActiveImageIsNotDeployedAgain(t *testing.T) {
	s := newSession(t)
	r := s.deploy("production", activeImage)
	r.want(t, 0, "Release 2 is active already", "--force")
	if r.stdout != "ReleaseID:   2\nDigest:      "+activeImage+"\n" {
		t.Errorf("standard output is %q", r.stdout)
	}
	s.deploy("production", activeImage, "--force").want(t, 0, "Release 3 is active.")
}

func TestTheLogOfThePreDeployTaskIsShownOnce(t *testing.T) {
	s := newSession(t)
	s.deploy("migrating", "v1.2.0", "--", "rake").want(t, 0, "Running the pre-deploy task "+taskC, "[app] migrated", "Release 3 is active.")
	r := s.deploy("unmigrated", "v1.2.0", "--", "rake")
	r.want(t, 1, "The deploy failed in the phase pre-deploy task.", "exited with code 42", "nothing stays staged", "release:deploy "+digest+" -- ARGV")
	if strings.Count(r.stderr, "migrated") != strings.Count(r.stderr, "unmigrated")+1 || r.stdout != "" {
		t.Errorf("the log is not shown once: %s", r.stderr)
	}
}

func TestADeployThatFailsNamesItsPhaseAndWhatToType(t *testing.T) {
	s := newSession(t)
	path, pushed := imageFile(t, "linux/amd64")
	other, _ := imageFile(t, "linux/arm64")
	s.deploy("production", other).want(t, 1, "in the phase read", "it is for linux/arm64, and the server runs linux/amd64", "--platform linux/amd64")
	s.at("production", "--app", "denied", "release:deploy", path).want(t, 1, "in the phase push", "the disk of the registry is full", "The same line goes on")
	s.deploy("production", "v0").want(t, 1, "in the phase create release", "no image with the tag v0")
	s.deploy("staged", path).want(t, 1, "staged commands on this stage (2)", "changeset:commit", "changeset:discard")
	s.deploy("staged", pushed).want(t, 1, "in the phase create release", "staged commands on this stage (2)")
	s.deploy("broken", "v1.2.0").want(t, 1, "in the phase activate.", "did not get ready")
	s.deploy("cancelled", "v1.2.0").want(t, 1, "in the phase commit.", "cancelled by "+bob, "nothing stays staged")
	s.at("production", "--app", "nope", "release:deploy", path).want(t, 1, "There is no app nope")
	for _, sent := range s.server.sent() {
		if strings.Contains(sent.line, "/staged/") && strings.HasPrefix(sent.line, "POST") && !strings.Contains(sent.body, pushed) {
			t.Errorf("sent %+v", sent)
		}
	}
}

func TestALineThatCannotBeDeployedIsRefusedBeforeAnythingIsAsked(t *testing.T) {
	s := newSession(t)
	for _, test := range []struct {
		line []string
		says string
	}{
		{nil, "the IMAGE to deploy"},
		{[]string{"a", "b"}, `does not take "b"`},
		{[]string{"nowhere.tar"}, "there is no file or directory nowhere.tar"},
		{[]string{"."}, "--build-with-docker"},
		{[]string{"--build-with-docker", "nowhere"}, "nowhere is no directory"},
		{[]string{"--build-with-docker", "--build-with-pack", "."}, "not with both"},
		{[]string{"--docker:build-arg", "A=1", "web:1"}, "Add --build-with-docker."},
		{[]string{"--pack:env", "A=1", "--build-with-docker", "."}, "Add --build-with-pack."},
	} {
		if r := s.deploy("production", test.line...); r.code != 1 || !strings.Contains(strings.ToLower(r.stderr), strings.ToLower(test.says)) {
			t.Errorf("%q: %+v", test.line, r)
		}
	}
	if sent := s.server.sent(); len(sent) > 0 {
		t.Errorf("sent %+v", sent)
	}
}

func TestAnImageIsBuiltWithDocker(t *testing.T) {
	s := newSession(t)
	path, _ := imageFile(t, "linux/amd64")
	bin := t.TempDir()
	script := "#!/bin/sh\ncase \"$1\" in build) echo \"building $*\" >&2; echo sha256:built > \"$3\";; save) cp " + path + " \"$3\";; version) echo linux/amd64;; esac\n"
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	write(t, "Dockerfile", "FROM scratch\n")
	r := s.deploy("production", "--build-with-docker", "--docker:build-arg", "A=1", "--docker:file", "Dockerfile", ".")
	r.want(t, 0, "Building what docker builds of .", "--file Dockerfile --build-arg A=1 .", "Pushed 2 layers", "Release 3 is active.")
	if err := os.Remove(filepath.Join(bin, "docker")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	s.deploy("production", "--build-with-pack", ".").want(t, 1, "in the phase build", "pack is not in the path")
}
