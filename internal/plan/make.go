package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/setopsco/setops/internal/setops"
)

// Make gives the plan that turns what is into what shall be. An unchanged stage whose generations run has an empty one,
// whether commands were staged or not. The order of its steps depends on nothing but the input.
func Make(in Input) Plan {
	p := planner{in: in, prepared: map[string]bool{}}
	all := apps(in)
	for _, name := range all {
		p.gate(name)
	}
	for _, name := range all {
		p.app(name)
		p.port(name)
	}
	if in.Commit && len(p.steps)+len(p.behind) == 0 && Equal(in.Before, in.After) {
		return Plan{}
	}
	if in.Commit {
		p.before(Step{ID: "switch", Kind: Switch, Cause: "the stage becomes what was staged, all of it at once", Needs: p.gates})
	}
	return Plan{Steps: append(p.steps, p.behind...)}
}

// apps lists every app that was there, shall be there, is served or has a port, sorted.
func apps(in Input) []string {
	all := map[string]bool{}
	for name := range in.Before.Apps {
		all[name] = true
	}
	for name := range in.After.Apps {
		all[name] = true
	}
	for name := range in.Serving {
		all[name] = true
	}
	for name := range in.Ports {
		all[name] = true
	}
	return slices.Sorted(maps.Keys(all))
}

type planner struct {
	in            Input
	steps, behind []Step
	gates         []string        // what the switch waits for
	tasks         []string        // the steps of pre-activation tasks: what new tasks wait for
	prepared      map[string]bool // apps whose image a step brings
	network       string          // the step that makes the network, once it is needed
}

func (p *planner) before(s Step) { p.steps = append(p.steps, s) }

func (p *planner) after(s Step) {
	s.After = true
	if p.in.Commit {
		s.Needs = append([]string{"switch"}, s.Needs...)
	}
	p.behind = append(p.behind, s)
}

func (p *planner) app(name string) {
	was, shall := p.in.Before.Apps[name], p.in.After.Apps[name]
	serving, served := p.in.Serving[name]
	switch {
	case shall == nil || shall.ActiveRelease == 0:
		if served {
			p.remove(serving, name, "app "+name+" has no active release any more")
		}
		if was != nil && (shall == nil || !shall.Committed) {
			p.destroy(name, serving, served)
		}
	case !served:
		p.start(shall, fmt.Sprintf("release %d of app %s starts", shall.ActiveRelease, name))
	case serving.Fingerprint != Fingerprint(p.in.Key, shall):
		p.start(shall, changeCause(was, shall))
		p.remove(serving, name, "its successor serves")
	case !p.in.Running[serving.ID]:
		p.restore(shall, serving)
	default:
		p.adjust(was, shall, serving)
	}
}

// gate adds the pre-activation task of an app. New tasks of any app wait for all of those: they may need what one of them
// does, as a migration of a schema.
func (p *planner) gate(name string) {
	app, argv := p.in.After.Apps[name], p.in.Gates[name]
	if app == nil || app.ActiveRelease == 0 || len(argv) == 0 {
		return
	}
	s := Step{
		ID: "run task of " + name, Kind: RunTask, App: name, Argv: argv,
		Cause: fmt.Sprintf("it must succeed before release %d of app %s is activated", app.ActiveRelease, name),
		Needs: p.needToRun(app),
	}
	if p.in.NewTaskID != nil {
		s.Task = p.in.NewTaskID(name)
	}
	p.before(s)
	p.tasks, p.gates = append(p.tasks, s.ID), append(p.gates, s.ID)
}

func (p *planner) start(app *setops.App, cause string) {
	id := p.in.NewID(app.Name)
	start := Step{
		ID: "start " + id, Kind: StartGeneration, App: app.Name, Generation: id, Cause: cause,
		Needs: append(p.needToRun(app), p.tasks...),
	}
	await := p.await(app.Name, id, start.ID)
	p.before(start)
	p.before(await)
}

// needToRun gives the steps that bring what a task of an app is made from.
func (p *planner) needToRun(app *setops.App) []string {
	network := p.needNetwork()
	image := Step{ID: "prepare image of " + app.Name, Kind: PrepareImage, App: app.Name, Cause: imageCause(app)}
	if !p.prepared[app.Name] {
		p.prepared[app.Name] = true
		p.before(image)
	}
	return append([]string{image.ID}, network...)
}

func (p *planner) await(app, generation, need string) Step {
	s := Step{
		ID: "await " + generation, Kind: AwaitGeneration, App: app, Generation: generation,
		Cause: "traffic moves only to tasks that are proven", Needs: []string{need},
	}
	p.gates = append(p.gates, s.ID)
	return s
}

func imageCause(app *setops.App) string {
	r, _ := app.Release(app.ActiveRelease)
	return "tasks start from " + r.Digest
}

// restore puts back what a reboot or a fault took away.
func (p *planner) restore(app *setops.App, g Generation) {
	start := Step{
		ID: "start " + g.ID, Kind: StartGeneration, App: app.Name, Generation: g.ID, Restores: true,
		Cause: "the engine does not keep the tasks that should serve", Needs: p.needNetwork(),
	}
	p.before(start)
	if p.in.Commit {
		p.before(p.await(app.Name, g.ID, start.ID))
	}
}

func (p *planner) adjust(was, shall *setops.App, g Generation) {
	if was == nil {
		return
	}
	proof := p.prove(was, shall, g)
	from, to := was.Resources.Scale, shall.Resources.Scale
	if to > from {
		scale := Step{
			ID: "scale " + g.ID, Kind: ScaleGeneration, App: shall.Name, Generation: g.ID,
			Cause: fmt.Sprintf("scale %d → %d", from, to), Needs: append(proof, p.tasks...),
		}
		p.before(scale)
		p.before(p.await(shall.Name, g.ID, scale.ID))
		return
	}
	if cause := adjustCause(was, shall); cause != "" {
		p.after(Step{ID: "adjust " + g.ID, Kind: AdjustGeneration, App: shall.Name, Generation: g.ID, Cause: cause})
	}
}

// prove adds a step where checks change: tasks that serve under the old ones could otherwise fall out of their route, or
// be replaced for ever, minutes after a commit that succeeded.
func (p *planner) prove(was, shall *setops.App, g Generation) []string {
	cause := checkCause(was, shall)
	if cause == "" || (shall.Container.HealthCheck == nil && shall.NetworkCheck() == nil) {
		return nil
	}
	s := Step{ID: "prove " + g.ID, Kind: ProveGeneration, App: shall.Name, Generation: g.ID, Cause: cause, Needs: slices.Clone(p.tasks)}
	p.before(s)
	p.gates = append(p.gates, s.ID)
	return []string{s.ID}
}

func adjustCause(was, shall *setops.App) string {
	if was.Resources.Scale != shall.Resources.Scale {
		return fmt.Sprintf("scale %d → %d", was.Resources.Scale, shall.Resources.Scale)
	}
	return checkCause(was, shall)
}

func checkCause(was, shall *setops.App) string {
	switch {
	case !reflect.DeepEqual(was.Container.HealthCheck, shall.Container.HealthCheck):
		return "the container health check changed"
	case !reflect.DeepEqual(was.NetworkCheck(), shall.NetworkCheck()):
		return "the network health check changed"
	}
	return ""
}

func (p *planner) remove(g Generation, app, cause string) {
	p.after(Step{ID: "remove " + g.ID, Kind: RemoveGeneration, App: app, Generation: g.ID, Cause: cause})
}

func (p *planner) destroy(app string, serving Generation, served bool) {
	cause := "app " + app + " is destroyed"
	logs := Step{ID: "remove logs of " + app, Kind: RemoveLogs, App: app, Cause: cause}
	if served {
		logs.Needs = []string{"remove " + serving.ID}
	}
	p.after(logs)
}

// port sees to the TCP port of the router: public tcp apps have one, for as long as they are that.
func (p *planner) port(app string) {
	shall := p.in.After.Apps[app]
	needs := shall != nil && shall.NeedsPort()
	switch has := p.in.Ports[app]; {
	case needs && !has && p.in.Commit:
		s := Step{ID: "open port of " + app, Kind: OpenPort, App: app, Needs: p.needNetwork(), Cause: "app " + app + " is public and speaks tcp"}
		p.before(s)
		p.gates = append(p.gates, s.ID)
	case has && !needs:
		p.after(Step{ID: "close port of " + app, Kind: ClosePort, App: app, Cause: "app " + app + " is no public tcp app any more"})
	}
}

func (p *planner) needNetwork() []string {
	if p.in.Network {
		return nil
	}
	if p.network == "" {
		p.network = "make network"
		p.before(Step{ID: p.network, Kind: MakeNetwork, Cause: "the stage has no network yet"})
	}
	return []string{p.network}
}

// changeCause names the first difference that makes new tasks necessary.
func changeCause(was, shall *setops.App) string {
	switch {
	case was == nil:
		return "app " + shall.Name + " is made anew"
	case was.ActiveRelease != shall.ActiveRelease:
		return fmt.Sprintf("release %d → %d", was.ActiveRelease, shall.ActiveRelease)
	case !maps.Equal(values(was.Env), values(shall.Env)):
		return "the environment changed"
	case was.Network.Port != shall.Network.Port:
		return fmt.Sprintf("port %d → %d", was.Network.Port, shall.Network.Port)
	case was.Resources.CPU != shall.Resources.CPU || was.Resources.Memory != shall.Resources.Memory:
		return "cpu or memory changed"
	case !slices.Equal(was.Container.Command, shall.Container.Command) ||
		!slices.Equal(was.Container.Entrypoint, shall.Container.Entrypoint):
		return "the command or the entrypoint changed"
	}
	return "what its tasks are made from changed"
}

func values(env map[string]setops.EnvVar) map[string]setops.Sealed {
	m := make(map[string]setops.Sealed, len(env))
	for k, v := range env {
		m[k] = v.Value
	}
	return m
}
