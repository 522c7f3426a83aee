package httpapi

import (
	"context"
	"maps"
	"slices"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/history"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

type commitToRevert struct {
	OneCommit
	Changing
	Body *api.Revert
}

func (s *Server) showDiff(ctx context.Context, in *InStage) (*answer[api.Diff], error) {
	u, ref, err := s.stage(ctx, *in)
	if err != nil {
		return nil, err
	}
	if _, err := s.Staging.Changeset(ctx, ref, u); err != nil {
		return nil, err
	}
	p, err := s.Commits.Preview(ctx, ref, u)
	if err != nil {
		return nil, err
	}
	diff, err := s.diff(ref, p.Before, p.After, p.Plan, false)
	diff.Gates = gatesOf(p)
	return answered(diff), err
}

func gatesOf(p commit.Preview) []api.TaskGate {
	var gates []api.TaskGate
	for _, app := range slices.Sorted(maps.Keys(p.Gates)) {
		gates = append(gates, api.TaskGate{App: app, Release: p.After.Apps[app].ActiveRelease, Command: p.Gates[app]})
	}
	return gates
}

func (s *Server) showPlan(ctx context.Context, in *InStage) (*answer[api.Plan], error) {
	u, ref, err := s.stage(ctx, *in)
	if err != nil {
		return nil, err
	}
	p, err := s.Commits.Preview(ctx, ref, u)
	if err != nil {
		return nil, err
	}
	wire := api.Plan{Hash: p.Hash, Steps: make([]api.PlanStep, 0, len(p.Plan.Steps))}
	for _, step := range p.Plan.Steps {
		wire.Steps = append(wire.Steps, wireStep(step))
	}
	wire.Diff, err = s.diff(ref, p.Before, p.After, p.Plan, true)
	return answered(wire), err
}

func (s *Server) showCommitDetails(ctx context.Context, in *OneCommit) (*answer[api.CommitDetails], error) {
	_, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	d, err := s.History.Details(ctx, ref, in.ID)
	if err != nil {
		return nil, err
	}
	wire := api.CommitDetails{Commit: wireCommit(d.Commit), Steps: []api.CommitStep{}, Tasks: []api.CommitTask{}}
	var journal plan.Plan
	for _, r := range d.Steps {
		journal.Steps = append(journal.Steps, r.Step)
		wire.Steps = append(wire.Steps, api.CommitStep{
			PlanStep: wireStep(r.Step), State: r.State, StartedAt: instant(r.StartedAt), FinishedAt: instant(r.FinishedAt),
		})
	}
	for _, t := range d.Tasks {
		task := api.CommitTask{App: t.App, TaskID: t.ID, Log: make([]api.LogLine, 0, len(t.Log))}
		for _, l := range t.Log {
			task.Log = append(task.Log, wireLine(l))
		}
		wire.Tasks = append(wire.Tasks, task)
	}
	wire.Diff, err = s.diff(ref, d.Delta.Before, d.Delta.After, journal, true)
	return answered(wire), err
}

func (s *Server) revertCommit(ctx context.Context, r idempotency.Request, in *commitToRevert) (*answer[api.Reverted], error) {
	u, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	asked := history.Revert{Commit: in.ID}
	if in.Body != nil {
		asked.To, asked.Force = in.Body.To, in.Body.Force
	}
	kept := receipt(r, func(done history.Reverted) api.Reverted { // without values of env: a receipt holds no secret
		wire, _ := s.wireReverted(ref, done, plan.Plan{}, true) // only to open them can fail
		return wire
	})
	done, err := s.History.Revert(ctx, ref, u, asked, kept)
	if err != nil {
		return nil, err
	}
	p, err := s.Commits.Preview(ctx, ref, u)
	if err != nil { // it is staged all the same; only what restarts is not known
		s.Logger.Warn("plan a revert", "request", requestID(ctx), "error", err)
	}
	wire, err := s.wireReverted(ref, done, p.Plan, false)
	return answered(wire), err
}

func (s *Server) wireReverted(ref setops.StageRef, done history.Reverted, p plan.Plan, hide bool) (api.Reverted, error) {
	diff, err := s.diff(ref, done.Before, done.After, p, hide)
	return api.Reverted{Commands: wireCommands(done.Commands), Diff: diff}, err
}

// diff compares two states of a stage; the plan between them tells which apps get new tasks.
func (s *Server) diff(ref setops.StageRef, before, after setops.Spec, p plan.Plan, hide bool) (api.Diff, error) {
	changes, err := s.History.Changes(ref, before, after, hide)
	restarts := map[string]string{}
	for _, step := range p.Steps {
		if step.Kind == plan.StartGeneration && !step.Restores {
			restarts[step.App] = step.Cause
		}
	}
	wire := api.Diff{Apps: make([]api.AppDiff, 0, len(changes))}
	for _, v := range changeset.CompareStage(before, after) {
		wire.Stage = append(wire.Stage, wireValue(v))
	}
	for _, c := range changes {
		app := api.AppDiff{Name: c.Name, Change: string(c.Change), Restarts: restarts[c.Name], Lost: c.Lost, Values: make([]api.ValueChange, 0, len(c.Values))}
		for _, v := range c.Values {
			app.Values = append(app.Values, wireValue(v))
		}
		wire.Apps = append(wire.Apps, app)
	}
	return wire, err
}

func wireValue(v changeset.ValueChange) api.ValueChange {
	return api.ValueChange{Field: v.Field, Old: v.Old, New: v.New, Hidden: v.Sealed, Secret: v.Secret}
}

func wireStep(s plan.Step) api.PlanStep {
	return api.PlanStep{ID: s.ID, Kind: string(s.Kind), App: s.App, Cause: s.Cause, Needs: s.Needs, After: s.After}
}
