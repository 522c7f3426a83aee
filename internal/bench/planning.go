//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
)

const (
	planApps     = 1000
	planCommands = 1000
	planLimit    = 50 * time.Millisecond
)

// measurePlanning folds and plans two commits on a large stage: one that changes every app, half of them so that new tasks
// are made, and one that changes one app a thousand times.
func measurePlanning(_ context.Context, _ *bench, res *result) error {
	key := []byte("0123456789abcdef0123456789abcdef")
	in := largeStage(key)
	for _, c := range []struct {
		what     string
		commands []changeset.Command
	}{
		{"Fold and plan, 1,000 apps, a command for each", aCommandForEach()},
		{"Fold and plan, 1,000 apps, 1,000 commands for one", manyCommandsForOne()},
	} {
		if err := foldAndPlan(in, c.what, c.commands, res); err != nil {
			return err
		}
	}
	return nil
}

func foldAndPlan(in plan.Input, what string, commands []changeset.Command, res *result) error {
	var folds, plans, both samples
	steps := 0
	err := rounds(21, func(round int) error {
		began := time.Now()
		after, problems := changeset.Fold(in.Before, commands)
		folded := time.Since(began)
		if len(problems) > 0 {
			return problems[0]
		}
		in.After = after
		steps = len(plan.Make(in).Steps)
		total := time.Since(began)
		folds.keep(round, folded)
		plans.keep(round, total-folded)
		both.keep(round, total)
		return nil
	})
	if err != nil {
		return err
	}
	took := median(both)
	res.add(row{what: what, ours: show(took), goal: "≤ " + show(planLimit), met: took <= planLimit})
	res.note("%s: %s to fold, %s to plan; %d steps come out.", what, show(median(folds)), show(median(plans)), steps)
	return nil
}

// largeStage has a thousand apps that serve, each with an environment and a few releases.
func largeStage(key []byte) plan.Input {
	in := plan.Input{
		Before:  setops.Spec{Apps: map[string]*setops.App{}},
		Serving: map[string]plan.Generation{}, Running: map[string]bool{}, Network: true, Commit: true,
		NewID: func(app string) string { return app + "-new" }, Key: key,
	}
	for i := range planApps {
		app := setops.NewApp(planApp(i))
		app.Committed, app.ActiveRelease, app.Network.Public = true, 5, true
		app.Env = map[string]setops.EnvVar{}
		for n := range 10 {
			app.Env[fmt.Sprintf("VARIABLE_%d", n)] = setops.EnvVar{Value: sealed}
		}
		for id := 1; id <= 6; id++ {
			app.Releases = append(app.Releases, setops.Release{ID: id, Digest: fmt.Sprintf("sha256:%064d", id)})
		}
		in.Before.Apps[app.Name] = app
		g := plan.Generation{ID: app.Name + "-old", App: app.Name, Fingerprint: plan.Fingerprint(key, app)}
		in.Serving[app.Name], in.Running[g.ID] = g, true
	}
	return in
}

// sealed stands for a value as the store has it.
const sealed setops.Sealed = "a sealed value, about as long as those in the store are"

func planApp(i int) string { return fmt.Sprintf("app-%d", i) }

func aCommandForEach() []changeset.Command {
	two := 2
	var all []changeset.Command
	for i := range planCommands {
		app := planApp(i)
		switch i % 4 {
		case 0:
			all = append(all, &changeset.ReleaseActivate{AppName: app, ID: 6})
		case 1:
			all = append(all, &changeset.EnvSet{AppName: app, Key: "VARIABLE_1", Value: sealed + " another one"})
		case 2:
			all = append(all, &changeset.ResourceSet{AppName: app, Scale: &two})
		case 3:
			all = append(all, &changeset.ReleaseCreate{AppName: app, ID: 7, Digest: fmt.Sprintf("sha256:%064d", 7)})
		}
	}
	return all
}

func manyCommandsForOne() []changeset.Command {
	var all []changeset.Command
	for i := range planCommands {
		all = append(all, &changeset.EnvSet{AppName: planApp(0), Key: fmt.Sprintf("KEY_%d", i%900), Value: sealed})
	}
	return all
}
