package release

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A job is what a CI runs: lines of shell in a checkout of a repository, with variables.
type job struct {
	script  string
	environ map[string]string
}

// templates read the job out of each template as its CI would, given the variables that a user sets.
var templates = map[string]func(t *testing.T, set map[string]string) job{
	"github": githubJob, "gitlab": gitlabJob, "bitbucket": bitbucketJob,
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
		"image": set["SETOPS_IMAGE"],
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
