package commit

import (
	"fmt"
	"net"
	"strconv"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// next gives the command lines to type: one that may mend it, where the failure tells which; what shows more; the commit.
func (e explainer) next(f changeset.Failure) []string {
	scope := fmt.Sprintf("setops -p %s -s %s", e.stage.Project, e.stage.Name)
	ofApp := scope + " --app " + f.App + " "
	if f.Code == string(setops.ChangesetInvalid) { // it would be refused again as it is
		return []string{scope + " changeset:info", scope + " changeset:discard"}
	}
	var all []string
	if mend := mending(f, e.after.Apps[f.App]); mend != "" {
		all = append(all, ofApp+mend)
	}
	switch app := e.after.Apps[f.App]; {
	case f.TaskID == "":
	case f.Check == engine.CheckBefore && app != nil && !app.Committed: // the log of an app that is not there cannot be asked for
		all = append(all, scope+" changeset:show "+e.id)
	default:
		all = append(all, ofApp+"log --task "+f.TaskID)
	}
	return append(all, scope+" changeset:commit")
}

// Exit codes of a command that could not be run, as shells give them.
const (
	notExecutable = 126
	notFound      = 127
)

// mending is the command that would let the app pass, as far as the last answer tells; empty: it does not.
func mending(f changeset.Failure, app *setops.App) string {
	if f.Code != string(setops.CommitFailed) || app == nil {
		return ""
	}
	if f.Check == engine.CheckBefore && wasNotRun(f.LastAnswer) {
		return fmt.Sprintf("release:activate %d --before -- PROGRAM", app.ActiveRelease)
	}
	if f.Check == "start" && f.LastAnswer == nil {
		return programCommand(app)
	}
	if f.LastAnswer == nil {
		return ""
	}
	switch a := *f.LastAnswer; {
	case a.OutOfMemory:
		return fmt.Sprintf("resource:set memory %d", 2*app.Resources.Memory)
	case f.Check == "container health check" && wasNotRun(&a):
		return "container:set health-check -- PROGRAM"
	case f.Check == "network health check":
		return networkCommand(a, app)
	}
	return ""
}

// wasNotRun reports whether a program was not there, or not one.
func wasNotRun(a *setops.LastAnswer) bool {
	return a == nil || a.ExitCode != nil && (*a.ExitCode == notExecutable || *a.ExitCode == notFound)
}

// programCommand is for a program that could not be executed: one that was set is dropped, for the image's.
func programCommand(app *setops.App) string {
	switch {
	case len(app.Container.Entrypoint) > 0:
		return "container:unset entrypoint"
	case len(app.Container.Command) > 0:
		return "container:unset command"
	}
	return "container:set entrypoint -- PROGRAM"
}

func networkCommand(a setops.LastAnswer, app *setops.App) string {
	switch {
	case a.Status >= 300 && a.Status < 400:
		return "network:set health-check-status 200-399"
	case a.Status >= 400 && a.Status < 500:
		return "network:set health-check-path PATH"
	case a.Status != 0:
		return ""
	}
	port := strconv.Itoa(app.Network.Port)
	other := ""
	for _, address := range a.ListensOn {
		host, at, err := net.SplitHostPort(address)
		switch ip := net.ParseIP(host); {
		case err != nil || at != port && ip.IsLoopback():
		case at == port && ip.IsLoopback():
			return "" // the app alone can mend that
		case at == port:
			return laterCommand(app)
		default:
			other = at
		}
	}
	switch {
	case other != "":
		return "network:set port " + other
	case a.ListensOn != nil:
		return laterCommand(app)
	}
	return ""
}

// laterCommand gives an app more time to start.
func laterCommand(app *setops.App) string {
	return fmt.Sprintf("container:set start-timeout %d", 2*int(app.StartDeadline().Seconds()))
}
