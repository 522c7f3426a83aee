package commit

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/apply"
	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

const password = "correct-horse-battery"

// shop is a commit of an app web, whose environment holds a password.
func shop() explainer {
	web := setops.NewApp("web")
	web.ActiveRelease = 3
	return explainer{
		stage: setops.StageRef{Project: "shop", Name: "production"},
		after: setops.Spec{Apps: map[string]*setops.App{"web": web, "api": setops.NewApp("api")}},
		env: func(string) map[string]string {
			return map[string]string{"URL": "db://u:" + password + "@db", "PASSWORD": password, "MODE": "true"}
		},
	}
}

func awaiting(app string, err error) *apply.StepError {
	return &apply.StepError{Step: plan.Step{ID: "await " + app, Kind: plan.AwaitGeneration, App: app}, Err: err}
}

func TestAFailureOfAnAppNamesAllThatIsKnown(t *testing.T) {
	f := shop().explain(awaiting("web", &engine.GateError{
		App: "web", TaskID: "7a5c", Check: "network health check", Cause: "it answered 503", Log: []string{"no database"},
		Last: setops.LastAnswer{Request: "GET /", Status: 503, Body: "no database"},
	}))
	want := changeset.Failure{
		Code: "CommitFailed", Message: "app web did not get ready: it answered 503", Step: "await web", App: "web", Release: 3,
		TaskID: "7a5c", Check: "network health check", LastAnswer: &setops.LastAnswer{Request: "GET /", Status: 503, Body: "no database"},
		Log: []string{"no database"},
		Next: []string{
			"setops -p shop -s production --app web log --task 7a5c", "setops -p shop -s production changeset:commit",
		},
	}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got  %+v\nwant %+v", f, want)
	}
}

func TestFaultsOfTheServerBlameNoApp(t *testing.T) {
	step := func(kind plan.Kind) plan.Step { return plan.Step{ID: "a step", Kind: kind, App: "web"} }
	for want, test := range map[string]struct {
		err       error
		temporary bool
	}{
		"the server could not make the network of the stage, and no app is to blame: it was not done within 1m0s": {
			&apply.StepError{Step: step(plan.MakeNetwork), Err: &apply.LateError{Limit: time.Minute}}, true,
		},
		"the server could not bring up the tasks of app web, and no app is to blame: no such device": {
			&apply.StepError{Step: step(plan.AwaitGeneration), Err: &engine.GateError{App: "web", Cause: "no such device", Fault: true, Temporary: true}}, true,
		},
		"the server could not bring the image of app web to where tasks start, and no app is to blame: no space": {
			&apply.StepError{Step: step(plan.PrepareImage), Err: &engine.GateError{Check: "image", Cause: "no space", Fault: true}}, false,
		},
		"the server could not switch to the new tasks, and no app is to blame: its disk is full: write journal: no space left on device": {
			&apply.StepError{Step: step(plan.Switch), Err: fmt.Errorf("write journal: %w", syscall.ENOSPC)}, false,
		},
		"the server could not run the commit, and no app is to blame: observe engine: away": {errors.New("observe engine: away"), true},
	} {
		f := shop().explain(test.err)
		if f.Code != "ServerFailure" || f.Message != want || f.Temporary != test.temporary {
			t.Errorf("got %+v\nfor %s", f, want)
		}
	}
}

func TestARefusalKeepsItsCode(t *testing.T) {
	f := shop().explain(setops.Refuse(setops.ChangesetInvalid, "web has no release 9"))
	if f.Code != "ChangesetInvalid" || f.Message != "web has no release 9" || !strings.HasSuffix(f.Next[0], " changeset:info") {
		t.Errorf("got %+v", f)
	}
}

func TestTheOtherAppsThatFailedAreNamed(t *testing.T) {
	first := awaiting("web", &engine.GateError{App: "web", Cause: "ill"})
	first.Others = []*apply.StepError{
		awaiting("api", &engine.GateError{App: "api", TaskID: "9", Check: "start", Cause: "exited with code 1, said " + password}),
		awaiting("slow", context.Canceled),
		{Step: plan.Step{Kind: plan.PrepareImage, App: "huge"}, Err: context.Canceled}, // no fault of its own
		awaiting("web", context.Canceled),
	}
	want := []changeset.OtherFailure{
		{App: "api", TaskID: "9", Check: "start", Message: "exited with code 1, said ${PASSWORD}"},
		{App: "slow", Message: "it was not ready yet"},
	}
	if f := shop().explain(first); !slices.Equal(f.Others, want) {
		t.Errorf("got %+v", f.Others)
	}
}

func TestValuesOfTheEnvironmentAreInNoFailure(t *testing.T) {
	body := "cannot reach db://u:" + password + "@db, is it true?"
	f := shop().explain(awaiting("web", &engine.GateError{
		App: "web", Check: "network health check", Cause: fmt.Sprintf("it answered 500 (%q), accepted are 200", body),
		Last: setops.LastAnswer{Status: 500, Body: body, Output: "cut in " + password[:12] + "…"},
		Log:  []string{"PASSWORD=" + password, "is it true?"},
	}))
	if strings.Contains(fmt.Sprintf("%+v %+v", f, f.LastAnswer), password[:12]) {
		t.Errorf("got %+v %+v", f, f.LastAnswer)
	}
	want := `app web did not get ready: it answered 500 ("cannot reach ${URL}, is it true?"), accepted are 200`
	if f.Message != want || f.LastAnswer.Output != "cut in ${PASSWORD}" {
		t.Errorf("got %+v %+v", f, f.LastAnswer)
	}
	if !slices.Equal(f.Log, []string{"PASSWORD=${PASSWORD}", "is it true?"}) {
		t.Errorf("got %q", f.Log)
	}
}

func TestAShortSecretAndAnEncodedOneAreInNoFailureEither(t *testing.T) {
	const pin, odd = "4711", `a<"b">&c d/`
	e := shop()
	e.env = func(string) map[string]string { return map[string]string{"PIN": pin, "PORTS": "5432", "ODD": odd} }
	e.after.Apps["web"].Env = map[string]setops.EnvVar{"PIN": {Secret: true}, "PORTS": {}, "ODD": {Secret: true}}
	f := e.explain(awaiting("web", &engine.GateError{App: "web", Cause: "exited", Log: []string{
		"pin " + pin + ", port 5432", fmt.Sprintf("%q", odd), url.QueryEscape(odd), url.PathEscape(odd), hex.EncodeToString([]byte(odd)),
		"Basic " + base64.StdEncoding.EncodeToString([]byte(odd)),
	}}))
	want := []string{"pin ${PIN}, port 5432", `"${ODD}"`, "${ODD}", "${ODD}", "${ODD}", "Basic ${ODD}"}
	if !slices.Equal(f.Log, want) {
		t.Errorf("got %q", f.Log)
	}
}

func TestALogHasNoLineOfASecretOfSeveral(t *testing.T) {
	key := "-----BEGIN KEY-----\nMIGHAgEAMBMGByqGSM49\nAgEGCCqGSM49AwEHBG0w\n-----END KEY-----\n"
	e := shop()
	e.env = func(string) map[string]string { return map[string]string{"KEY": key} }
	f := e.explain(awaiting("web", &engine.GateError{
		App: "web", Cause: "exited", Log: strings.Split("key is "+key, "\n"), Last: setops.LastAnswer{Output: "said " + strings.TrimSpace(key) + "!"},
	}))
	text := fmt.Sprintf("%+v %+v", f, f.LastAnswer)
	for _, line := range strings.Split(strings.TrimSpace(key), "\n") {
		if strings.Contains(text, line) {
			t.Errorf("%s is in %s", line, text)
		}
	}
	if f.LastAnswer.Output != "said ${KEY}!" {
		t.Errorf("got %q", f.LastAnswer.Output)
	}
}

func TestTheFirstCommandToTypeMends(t *testing.T) {
	const network, container = "network health check", "container health check"
	for want, test := range map[string]struct {
		check string
		last  setops.LastAnswer
	}{
		"resource:set memory 512":                 {"start", setops.LastAnswer{OutOfMemory: true, ExitCode: new(137)}},
		"container:set entrypoint -- PROGRAM":     {"start", setops.LastAnswer{}},
		"network:set port 8080":                   {network, setops.LastAnswer{ConnectError: "refused", ListensOn: []string{"127.0.0.1:9000", "0.0.0.0:8080"}}},
		"container:set start-timeout 120":         {network, setops.LastAnswer{ConnectError: "refused", ListensOn: []string{}}},
		"container:set start-timeout 120 ":        {network, setops.LastAnswer{ConnectError: "refused", ListensOn: []string{"[::]:5000"}}},
		"log --task 7a5c    ":                     {network, setops.LastAnswer{ConnectError: "garbage"}},
		"network:set health-check-path PATH":      {network, setops.LastAnswer{Status: 404}},
		"network:set health-check-status 200-399": {network, setops.LastAnswer{Status: 302}},
		"container:set health-check -- PROGRAM":   {container, setops.LastAnswer{ExitCode: new(127)}},
		"log --task 7a5c":                         {"start", setops.LastAnswer{ExitCode: new(1)}},
		"log --task 7a5c ":                        {network, setops.LastAnswer{Status: 503}},
		"log --task 7a5c  ":                       {network, setops.LastAnswer{ConnectError: "refused", ListensOn: []string{"127.0.0.1:5000"}}},
		"log --task 7a5c   ":                      {container, setops.LastAnswer{ExitCode: new(1)}},
	} {
		f := shop().explain(awaiting("web", &engine.GateError{App: "web", TaskID: "7a5c", Check: test.check, Cause: "ill", Last: test.last}))
		if f.Next[0] != "setops -p shop -s production --app web "+strings.TrimSpace(want) {
			t.Errorf("%s: got %q", want, f.Next)
		}
		if last := f.Next[len(f.Next)-1]; last != "setops -p shop -s production changeset:commit" {
			t.Errorf("%s: got %q", want, f.Next)
		}
	}
}

// before is the failure of a pre-activation task.
func before(gate *engine.GateError) *apply.StepError {
	gate.TaskID, gate.Check = "7a5c", engine.CheckBefore
	return &apply.StepError{Step: plan.Step{ID: "run task of web", Kind: plan.RunTask, App: "web"}, Err: gate}
}

func TestATaskBeforeActivationIsToldByItsReleaseAndExitCode(t *testing.T) {
	e := shop()
	e.after.Apps["web"].Committed = true
	f := e.explain(before(&engine.GateError{
		App: "web", Cause: "exited with code 3", Last: setops.LastAnswer{ExitCode: new(3)}, Log: []string{"no " + password},
	}))
	want := changeset.Failure{
		Code: "CommitFailed", Message: "the task before the activation of release 3 of app web exited with code 3", Step: "run task of web",
		App: "web", Release: 3, TaskID: "7a5c", Check: "task before activation", LastAnswer: &setops.LastAnswer{ExitCode: new(3)},
		Log:  []string{"no ${PASSWORD}"},
		Next: []string{"setops -p shop -s production --app web log --task 7a5c", "setops -p shop -s production changeset:commit"},
	}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got  %+v\nwant %+v", f, want)
	}
	f = e.explain(before(&engine.GateError{App: "web", Cause: "create container: broken", Fault: true, Temporary: true}))
	if f.Code != "ServerFailure" || !f.Temporary ||
		f.Message != "the server could not run the task before the activation of app web, and no app is to blame: create container: broken" {
		t.Errorf("got %+v", f)
	}
}

func TestWhatToTypeAfterATaskBeforeActivation(t *testing.T) {
	const again = "--app web release:activate 3 --before -- PROGRAM"
	for name, test := range map[string]struct {
		last      setops.LastAnswer
		committed bool
		want      []string
	}{
		"an exit code":           {setops.LastAnswer{ExitCode: new(3)}, true, []string{"--app web log --task 7a5c"}},
		"no such program":        {setops.LastAnswer{}, true, []string{again, "--app web log --task 7a5c"}},
		"none that a shell knew": {setops.LastAnswer{ExitCode: new(127)}, true, []string{again, "--app web log --task 7a5c"}},
		"too little memory": {
			setops.LastAnswer{ExitCode: new(137), OutOfMemory: true},
			true,
			[]string{"--app web resource:set memory 512", "--app web log --task 7a5c"},
		},
		"an app that is not there": {setops.LastAnswer{ExitCode: new(3)}, false, []string{"changeset:show c0ffee"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := shop()
			e.id, e.after.Apps["web"].Committed = "c0ffee", test.committed
			var want []string
			for _, line := range append(test.want, "changeset:commit") {
				want = append(want, "setops -p shop -s production "+line)
			}
			if f := e.explain(before(&engine.GateError{App: "web", Cause: "ill", Last: test.last})); !slices.Equal(f.Next, want) {
				t.Errorf("got %q", f.Next)
			}
		})
	}
}

func TestTasksBeforeActivationAreAmongTheOthers(t *testing.T) {
	first := awaiting("api", &engine.GateError{App: "api", Cause: "ill"})
	first.Others = []*apply.StepError{
		before(&engine.GateError{App: "web", Cause: "exited with code 3"}),
		{Step: plan.Step{Kind: plan.RunTask, App: "stopped"}, Err: context.Canceled},
	}
	want := []changeset.OtherFailure{
		{App: "web", TaskID: "7a5c", Check: "task before activation", Message: "the task before its activation exited with code 3"},
	}
	if f := shop().explain(first); !slices.Equal(f.Others, want) {
		t.Errorf("got %+v", f.Others)
	}
}
