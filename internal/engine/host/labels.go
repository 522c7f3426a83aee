package host

import (
	"strconv"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// Labels of a container, from which a task is known again.
const (
	labelStageID      = "setops.stage-id"
	labelOrganization = "setops.organization"
	labelProject      = "setops.project"
	labelStage        = "setops.stage"
	labelApp          = "setops.app"
	labelGeneration   = "setops.generation" // empty: a one-off task
	labelRelease      = "setops.release"
	labelDigest       = "setops.digest"
	labelTag          = "setops.tag"
	labelCreated      = "setops.created"
	labelPort         = "setops.port"
	labelMemory       = "setops.memory"
	labelStopTimeout  = "setops.stop-timeout"
	labelLimit        = "setops.limit"
	labelConsole      = "setops.console" // empty: its program cannot be joined
)

// facts are what holds for a task all its life, as far as setops.Task does not say it.
type facts struct {
	stage       setops.StageRef
	port        int
	memory      int // MB
	stopTimeout time.Duration
	limit       time.Duration // one-off tasks only
	console     string        // consolePipe or consoleTerminal for a task that is joined
}

func labelsOf(t setops.Task, f facts) map[string]string {
	return map[string]string{
		labelStageID:      f.stage.ID,
		labelOrganization: f.stage.Organization,
		labelProject:      f.stage.Project,
		labelStage:        f.stage.Name,
		labelApp:          t.App,
		labelGeneration:   t.Generation,
		labelRelease:      strconv.Itoa(t.Release),
		labelDigest:       t.Digest,
		labelTag:          t.Tag,
		labelCreated:      t.CreatedAt.UTC().Format(time.RFC3339Nano),
		labelPort:         strconv.Itoa(f.port),
		labelMemory:       strconv.Itoa(f.memory),
		labelStopTimeout:  f.stopTimeout.String(),
		labelLimit:        f.limit.String(),
		labelConsole:      f.console,
	}
}

// taskOf reads labels. It reports false for a container that none of our tasks has. What is missing besides is zero: a
// newer server reads what an older one wrote.
func taskOf(id string, labels map[string]string) (setops.Task, facts, bool) {
	number := func(key string) int { n, _ := strconv.Atoi(labels[key]); return n }
	duration := func(key string) time.Duration { d, _ := time.ParseDuration(labels[key]); return d }
	stopTimeout := duration(labelStopTimeout)
	orElse(&stopTimeout, setops.DefaultStopTimeout*time.Second)
	created, _ := time.Parse(time.RFC3339Nano, labels[labelCreated])
	f := facts{
		stage: setops.StageRef{
			ID: labels[labelStageID], Organization: labels[labelOrganization],
			Project: labels[labelProject], Name: labels[labelStage],
		},
		port: number(labelPort), memory: number(labelMemory),
		stopTimeout: stopTimeout, limit: duration(labelLimit), console: labels[labelConsole],
	}
	t := setops.Task{
		ID: id, StageID: f.stage.ID, App: labels[labelApp], Generation: labels[labelGeneration],
		Release: number(labelRelease), Digest: labels[labelDigest], Tag: labels[labelTag], CreatedAt: created,
		Status: setops.Activating, Desired: setops.Running, Health: setops.Unknown,
	}
	return t, f, f.stage.ID != "" && t.App != ""
}

func factsOf(c engine.Container, stage setops.StageRef, stopTimeout, limit time.Duration) facts {
	f := facts{stage: stage, port: c.Port, memory: c.Memory, stopTimeout: stopTimeout, limit: limit}
	orElse(&f.stopTimeout, setops.DefaultStopTimeout*time.Second)
	return f
}
