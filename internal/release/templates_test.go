package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/setopsco/setops/internal/engine/enginetest/script"
	"github.com/setopsco/setops/internal/engine/fake"
)

// clientVersion is that of the setops in the jobs.
const clientVersion = "0.4.3"

func TestEveryTemplateDeploysAndTakesBackWhatFails(t *testing.T) {
	for name, read := range templates {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t, "ci"+name)
			first, _ := newImage(t, 0)
			o := app.run(read(t, map[string]string{"SETOPS_IMAGE": first, "SETOPS_MIGRATE": "exit 0"}))
			if o.code != 0 || !strings.Contains(o.stderr, "Release 1 is active.") || !strings.Contains(o.stdout, "ReleaseID:   1\n") {
				t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
			}
			app.serves(1)

			second, _ := newImage(t, 0)
			o = app.run(read(t, map[string]string{"SETOPS_IMAGE": second, "SETOPS_MIGRATE": "exit 3"}))
			if o.code != 1 || !strings.Contains(o.stderr, "failed in the phase pre-deploy task") || strings.Contains(o.stderr, "is active.") {
				t.Errorf("a migration that fails: exit %d\n%s%s", o.code, o.stdout, o.stderr)
			}
			app.serves(1)
			app.has(1)
		})
	}
}

func TestTheScriptDeploysADigestAndSaysWhyItDoesNot(t *testing.T) {
	app := newApp(t, "ciscript")
	digest, badDigest := app.push(0), app.push(7)
	plain := func(set map[string]string) job { return job{"sh ci/deploy.sh", set} }

	o := app.run(plain(map[string]string{"SETOPS_IMAGE": digest, "SETOPS_MESSAGE": "The first"}))
	if o.code != 0 {
		t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	app.serves(1)
	if log := app.shell.must("setops changeset:log"); !strings.Contains(log, "The first") {
		t.Errorf("the history is %s", log)
	}
	if o := app.run(plain(map[string]string{"SETOPS_IMAGE": digest})); o.code != 0 || !strings.Contains(o.stderr, "active already") {
		t.Errorf("a job that runs twice: exit %d\n%s", o.code, o.stderr)
	}

	for name, test := range map[string]struct {
		set  map[string]string
		want string
	}{
		"a task that ends":  {map[string]string{"SETOPS_IMAGE": badDigest}, "did not get ready"},
		"nothing to deploy": {nil, "what to deploy"},
		"a wrong password":  {map[string]string{"SETOPS_IMAGE": digest, "SETOPS_PASSWORD": "wrong"}, "do not belong together"},
		"another digest":    {map[string]string{"SETOPS_IMAGE": "sha256:" + strings.Repeat("0", 64)}, "sha256:000"},
		"no project":        {map[string]string{"SETOPS_PROJECT": ""}, "the project"},
	} {
		o := app.run(plain(test.set))
		if o.code == 0 || !strings.Contains(o.stderr, test.want) {
			t.Errorf("%s: exit %d, standard error lacks %q:\n%s", name, o.code, test.want, o.stderr)
		}
		app.serves(1)
		app.has(1)
	}
}

func TestTheScriptDropsWhatIsStagedOnlyWhereItIsTold(t *testing.T) {
	app := newApp(t, "cistaged")
	image, _ := newImage(t, 0)
	app.shell.must("setops env:set A=b")
	o := app.run(job{"sh ci/deploy.sh", map[string]string{"SETOPS_IMAGE": image}})
	if o.code == 0 || !strings.Contains(o.stderr, "You have staged commands on this stage") {
		t.Errorf("something staged: exit %d\n%s", o.code, o.stderr)
	}
	if staged := app.shell.must("setops changeset:info"); !strings.Contains(staged, "key:A") {
		t.Errorf("what somebody had staged is gone: %s", staged)
	}
	o = app.run(job{"sh ci/deploy.sh", map[string]string{"SETOPS_IMAGE": image, "SETOPS_DISCARD_FIRST": "true"}})
	if env := app.shell.must("setops env"); o.code != 0 || strings.Contains(env, "A=b") {
		t.Errorf("exit %d, env %s\n%s", o.code, env, o.stderr)
	}
	app.serves(1)
}

func TestTheScriptDeploysWithATokenAndLeavesNoSession(t *testing.T) {
	app := newApp(t, "citoken")
	image, _ := newImage(t, 0)
	token := strings.TrimSpace(app.shell.must("setops token:create citoken -o plain"))
	before := app.shell.must("setops session -o plain")
	o := app.run(job{"sh ci/deploy.sh", map[string]string{"SETOPS_IMAGE": image, "SETOPS_TOKEN": token, "SETOPS_USER": "", "SETOPS_PASSWORD": ""}})
	if o.code != 0 || strings.Contains(o.stdout+o.stderr, token) {
		t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	app.serves(1)
	if after := app.shell.must("setops session -o plain"); strings.Count(after, "\n") != strings.Count(before, "\n") {
		t.Errorf("sessions before: %s\nafter: %s", before, after)
	}
}

func TestTheStepsOfTheManualDeployAndTakeBackWhatFails(t *testing.T) {
	app := newApp(t, "cisteps")
	steps := stepsOf(t)
	run := func(digest, migrate string) outcome {
		return app.shell.run(fmt.Sprintf("export SETOPS_DIGEST=%s SETOPS_MIGRATE=%q\n%s", digest, migrate, steps))
	}
	first, second, bad := app.push(0), app.push(0), app.push(7)
	if o := run(first, "exit 0"); o.code != 0 || !strings.Contains(o.stdout, "Commit successful!") {
		t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	app.serves(1)
	if o := run(second, "exit 3"); o.code != 3 || strings.Contains(o.stdout, "Commit") {
		t.Errorf("a migration that fails: exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	app.serves(1)
	if o := run(bad, "exit 0"); o.code != 1 || !strings.Contains(o.stderr, "did not get ready") {
		t.Errorf("a task that ends: exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	app.serves(1)
	app.has(1)
}

// stepsOf gives the script in steps, as the page has it.
func stepsOf(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/ci/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "\n```sh\n")
	script, _, ended := strings.Cut(rest, "\n```\n")
	if !found || !ended || strings.Contains(rest[len(script):], "\n```sh\n") {
		t.Fatal("docs/ci/README.md has not one script of sh")
	}
	return script
}

func TestTheScriptTakesOnlyTheArchiveThatItWasTold(t *testing.T) {
	app := newApp(t, "ciarchive")
	_, digest := newImage(t, 0)
	archive := filepath.Join(t.TempDir(), "setops.tar.gz")
	sum, _, _ := strings.Cut(app.shell.must(fmt.Sprintf("tar -czf %s -C %s setops; sha256sum %[1]s", archive, setopsOf(t, clientVersion))), " ")
	app.shell.set("PATH", pathWithoutSetops())
	set := map[string]string{"SETOPS_IMAGE": digest, "SETOPS_ARCHIVE": "file://" + archive, "SETOPS_ARCHIVE_SHA256": strings.Repeat("0", 64)}
	if o := app.run(job{"sh ci/deploy.sh", set}); o.code == 0 || !strings.Contains(o.stderr, "is not what SETOPS_ARCHIVE_SHA256 says") {
		t.Errorf("another archive: exit %d\n%s", o.code, o.stderr)
	}
	set["SETOPS_ARCHIVE_SHA256"] = sum
	if o := app.run(job{"sh ci/deploy.sh", set}); !strings.Contains(o.stderr, digest) {
		t.Errorf("the right archive did not come to ask for the digest: exit %d\n%s", o.code, o.stderr)
	}
}

// pathWithoutSetops is where programs are found, but for directories that have a setops of whoever runs the tests.
func pathWithoutSetops() string {
	dirs := slices.DeleteFunc(filepath.SplitList(os.Getenv("PATH")), func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "setops"))
		return err == nil
	})
	return strings.Join(dirs, string(filepath.ListSeparator))
}

func host() string { return strings.TrimPrefix(shared.url, "http://") }

// An application is an app on a stage of its own, and a checkout with the script.
type application struct {
	t            *testing.T
	shell        *shell
	dir, project string
}

func newApp(t *testing.T, project string) *application {
	t.Helper()
	s := newShell(t, clientVersion, "SETOPS_PROJECT="+project, "SETOPS_STAGE=production", "SETOPS_APP=web")
	s.signIn()
	s.must("setops project:create; setops stage:create; setops app:create web; setops network:set public true; setops changeset:commit")
	dir := t.TempDir()
	for _, place := range []string{"ci", ".github/actions/setops"} {
		text, err := os.ReadFile("../../docs/ci/deploy.sh")
		if err == nil {
			err = os.MkdirAll(filepath.Join(dir, place), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, place, "deploy.sh"), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return &application{t, s, dir, project}
}

// run runs a job as the service user that its CI knows.
func (a *application) run(j job) outcome {
	a.t.Helper()
	runner := &shell{t: a.t, environ: append([]string{}, a.shell.environ...)}
	for name, value := range map[string]string{
		"HOME": a.t.TempDir(), "SETOPS_ORGANIZATION": organization, "SETOPS_USER": user, "SETOPS_PASSWORD": password,
		"GITHUB_ACTION_PATH": filepath.Join(a.dir, ".github/actions/setops"),
	} {
		runner.set(name, value)
	}
	for name, value := range j.environ {
		runner.set(name, value)
	}
	return runner.run("cd " + a.dir + "\n" + j.script)
}

// serves looks whether a release, and nothing else, is live, and whether nothing is staged.
func (a *application) serves(release int) {
	a.t.Helper()
	if ps := a.shell.must("setops app:info web"); !strings.Contains(ps, "Active Release: "+strconv.Itoa(release)+"\n") ||
		!strings.Contains(ps, "ACTIVE 1 / 1 running tasks") {
		a.t.Errorf("not release %d is live: %s", release, ps)
	}
	if staged := a.shell.run("setops changeset:info"); !strings.Contains(staged.stderr, "Nothing is staged") {
		a.t.Errorf("something is staged: %s", staged.stdout)
	}
}

// has looks whether the app has so many releases, and no more.
func (a *application) has(releases int) {
	a.t.Helper()
	if list := a.shell.must("setops release -o json"); strings.Count(list, `"digest"`) != releases {
		a.t.Errorf("not %d releases: %s", releases, list)
	}
}

// push brings a new image to the app's repository, as a CI would without setops.
func (a *application) push(code int) (digest string) {
	a.t.Helper()
	dir, digest := newImage(a.t, code)
	a.shell.must(fmt.Sprintf("skopeo copy --quiet --dest-tls-verify=false --dest-creds %q oci:%s docker://%s/demo/%s/production/web:%s",
		user+":"+password, dir, host(), a.project, digest[len("sha256:"):][:12]))
	return digest
}

// newImage makes an image, as an OCI layout, whose tasks serve, or end with a code; `/bin/sh -c 'exit N'` ends with N.
func newImage(t *testing.T, code int) (dir, digest string) {
	t.Helper()
	layer, err := random.Layer(256, types.OCILayer)
	if err != nil {
		t.Fatal(err)
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.AppendLayers(image, layer); err != nil {
		t.Fatal(err)
	}
	var hash v1.Hash
	if hash, err = image.Digest(); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = path.AppendImage(image)
	}
	if err != nil {
		t.Fatal(err)
	}
	shared.runtime.SetImage(hash.String(), fake.Image{Program: func(ctx context.Context, p script.Process) int {
		if len(p.Args) == 2 && p.Args[0] == "-c" { // the program's name is not among them
			p.Args = strings.Fields(p.Args[1])
		} else if code != 0 {
			return fake.Exit(code, time.Millisecond).Program(ctx, p)
		} else {
			p.Args = []string{"serve"}
		}
		return script.Run(ctx, p)
	}})
	return dir, hash.String()
}
