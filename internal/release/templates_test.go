package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
	"go.yaml.in/yaml/v3"

	"github.com/setopsco/setops/internal/engine/enginetest/script"
	"github.com/setopsco/setops/internal/engine/fake"
)

// clientVersion is that of the setops in the jobs.
const clientVersion = "0.4.3"

// A job is what a CI runs: lines of shell in a checkout of a repository, with variables.
type job struct {
	script  string
	environ map[string]string
}

// templates read the job out of each template as its CI would, given the variables that a user sets.
var templates = map[string]func(t *testing.T, set map[string]string) job{
	"github": githubJob, "gitlab": gitlabJob, "bitbucket": bitbucketJob,
}

func TestEveryTemplateDeploysAndTakesBackWhatFails(t *testing.T) {
	for name, read := range templates {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t, "ci"+name)
			first, _ := newImage(t, 0)
			o := app.run(read(t, map[string]string{"SETOPS_IMAGE": "oci:" + first, "SETOPS_MIGRATE": "exit 0"}))
			if o.code != 0 || !strings.Contains(o.stderr, "release 1 of web is live") || !strings.Contains(o.stdout, "Commit successful!") {
				t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
			}
			app.serves(1)

			second, _ := newImage(t, 0)
			o = app.run(read(t, map[string]string{"SETOPS_IMAGE": "oci:" + second, "SETOPS_MIGRATE": "exit 3"}))
			if o.code == 0 || !strings.Contains(o.stderr, "dropping what was staged") || strings.Contains(o.stderr, "is live") {
				t.Errorf("a migration that fails: exit %d\n%s%s", o.code, o.stdout, o.stderr)
			}
			app.serves(1)
		})
	}
}

func TestTheScriptDeploysADigestAndSaysWhyItDoesNot(t *testing.T) {
	app := newApp(t, "ciscript")
	good, digest := newImage(t, 0)
	bad, badDigest := newImage(t, 7)
	app.shell.must(fmt.Sprintf(`skopeo copy --quiet --dest-tls-verify=false --dest-creds %q oci:%s docker://%s/demo/ciscript/production/web:1
		skopeo copy --quiet --dest-tls-verify=false --dest-creds %q oci:%s docker://%s/demo/ciscript/production/web:2`,
		user+":"+password, good, host(), user+":"+password, bad, host()))
	plain := func(set map[string]string) job { return job{"sh ci/deploy.sh", set} }

	o := app.run(plain(map[string]string{"SETOPS_DIGEST": digest, "SETOPS_MESSAGE": "The first"}))
	if o.code != 0 {
		t.Fatalf("exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	app.serves(1)
	if log := app.shell.must("setops changeset:log"); !strings.Contains(log, "The first") {
		t.Errorf("the history is %s", log)
	}

	for name, test := range map[string]struct {
		set  map[string]string
		want string
	}{
		"a task that ends":  {map[string]string{"SETOPS_DIGEST": badDigest}, "did not get ready"},
		"nothing to deploy": {nil, "nothing to deploy"},
		"a wrong password":  {map[string]string{"SETOPS_DIGEST": digest, "SETOPS_PASSWORD": "wrong"}, "do not belong together"},
		"another digest":    {map[string]string{"SETOPS_DIGEST": "sha256:" + strings.Repeat("0", 64)}, "sha256:000"},
		"no project":        {map[string]string{"SETOPS_PROJECT": ""}, "the project"},
	} {
		o := app.run(plain(test.set))
		if o.code == 0 || !strings.Contains(o.stderr, test.want) {
			t.Errorf("%s: exit %d, standard error lacks %q:\n%s", name, o.code, test.want, o.stderr)
		}
		app.serves(1)
	}

	app.shell.must("setops env:set A=b")
	o = app.run(plain(map[string]string{"SETOPS_DIGEST": digest}))
	if o.code == 0 || !strings.Contains(o.stderr, "something is staged on ciscript/production already") {
		t.Errorf("something staged: exit %d\n%s", o.code, o.stderr)
	}
	if staged := app.shell.must("setops changeset:info"); !strings.Contains(staged, "key:A") {
		t.Errorf("what somebody had staged is gone: %s", staged)
	}
	o = app.run(plain(map[string]string{"SETOPS_DIGEST": digest, "SETOPS_DISCARD_FIRST": "true"}))
	if env := app.shell.must("setops env"); o.code != 0 || strings.Contains(env, "A=b") {
		t.Errorf("exit %d, env %s\n%s", o.code, env, o.stderr)
	}
}

func TestTheScriptTakesOnlyTheArchiveThatItWasTold(t *testing.T) {
	app := newApp(t, "ciarchive")
	_, digest := newImage(t, 0)
	archive := filepath.Join(t.TempDir(), "setops.tar.gz")
	sum, _, _ := strings.Cut(app.shell.must(fmt.Sprintf("tar -czf %s -C %s setops; sha256sum %[1]s", archive, setopsOf(t, clientVersion))), " ")
	app.shell.set("PATH", pathWithoutSetops())
	set := map[string]string{"SETOPS_DIGEST": digest, "SETOPS_ARCHIVE": "file://" + archive, "SETOPS_ARCHIVE_SHA256": strings.Repeat("0", 64)}
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
	t     *testing.T
	shell *shell
	dir   string
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
	return &application{t, s, dir}
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

// readYAML reads a template into what its CI sees.
func readYAML[T any](t *testing.T, name string) (document T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs/ci", name))
	if err == nil {
		err = yaml.Unmarshal(text, &document)
	}
	if err != nil {
		t.Fatal(err)
	}
	return document
}

var expression = regexp.MustCompile(`\${{ ([a-z_.-]+) }}`)

// githubJob gives the action its inputs, those of the variables that are set, and defaults where there are none.
func githubJob(t *testing.T, set map[string]string) job {
	action := readYAML[struct {
		Inputs map[string]struct {
			Required bool
			Default  string
		}
		Runs struct {
			Using string
			Steps []struct {
				Shell, Run string
				Env        map[string]string
			}
		}
	}](t, "github/action.yml")
	if action.Runs.Using != "composite" || len(action.Runs.Steps) != 1 || action.Runs.Steps[0].Shell != "sh" {
		t.Fatalf("the action runs %+v", action.Runs)
	}
	step := action.Runs.Steps[0]
	contexts := map[string]string{"github.sha": "c0ffee", "github.workflow": "deploy", "github.run_number": "7"}
	expand := func(text string) string {
		return expression.ReplaceAllStringFunc(text, func(m string) string {
			value, known := contexts[expression.FindStringSubmatch(m)[1]]
			if !known {
				t.Errorf("GitHub does not know %s here", m)
			}
			return value
		})
	}
	required := map[string]string{
		"url": shared.url, "organization": organization, "user": user, "password": password, "stage": "production", "app": "web", "project": "cigithub",
	}
	for name, input := range action.Inputs {
		value := set["SETOPS_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))]
		switch {
		case input.Required:
			value = required[name]
		case value == "":
			value = expand(input.Default)
		}
		contexts["inputs."+name] = value
	}
	environ := map[string]string{}
	for name, value := range step.Env {
		environ[name] = expand(value)
	}
	return job{step.Run, environ}
}

func gitlabJob(t *testing.T, set map[string]string) job {
	file := readYAML[map[string]struct {
		Variables map[string]string
		Script    []string
	}](t, "gitlab.yml")
	known := map[string]string{"CI_COMMIT_SHORT_SHA": "c0ffee", "CI_PIPELINE_ID": "7"}
	environ := map[string]string{}
	for name, value := range file[".setops-deploy"].Variables {
		environ[name] = os.Expand(value, func(name string) string { return known[name] })
	}
	for name, value := range set {
		environ[name] = value
	}
	return job{strings.Join(file[".setops-deploy"].Script, "\n"), environ}
}

func bitbucketJob(t *testing.T, set map[string]string) job {
	file := readYAML[struct {
		Pipelines struct {
			Branches map[string][]struct {
				Step struct {
					Script     []string
					Deployment string
				}
			}
		}
	}](t, "bitbucket-pipelines.yml")
	steps := file.Pipelines.Branches["main"]
	if len(steps) != 1 || steps[0].Step.Deployment == "" {
		t.Fatalf("the pipeline has %+v", steps)
	}
	environ := map[string]string{"BITBUCKET_COMMIT": "c0ffee", "BITBUCKET_BUILD_NUMBER": "7"}
	for name, value := range set {
		environ[name] = value
	}
	return job{strings.Join(steps[0].Step.Script, "\n"), environ}
}
