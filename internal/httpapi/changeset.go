package httpapi

import (
	"context"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/staging"
	"github.com/setopsco/setops/pkg/api"
)

type commandsToStage struct {
	InStage
	Changing
	Body api.StageCommands
}

type commandToRemove struct {
	InStage
	Changing
	Number int `path:"number" doc:"Of the command, counted from 1 in the order in which they were staged"`
}

func (s *Server) showChangeset(ctx context.Context, in *InStage) (*answer[api.Changeset], error) {
	u, ref, err := s.stage(ctx, *in)
	if err != nil {
		return nil, err
	}
	c, err := s.Staging.Changeset(ctx, ref, u)
	return answered(wireChangeset(c)), err
}

func (s *Server) discardChangeset(ctx context.Context, r idempotency.Request, in *changeStage) (*answer[api.Discarded], error) {
	u, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	n, err := s.Staging.Discard(ctx, ref, u, receipt(r, wireDiscarded))
	return answered(wireDiscarded(n)), err
}

func (s *Server) stageCommands(ctx context.Context, r idempotency.Request, in *commandsToStage) (*answer[api.Staged], error) {
	u, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	requests := make([]staging.Request, 0, len(in.Body.Commands))
	for _, c := range in.Body.Commands {
		requests = append(requests, staging.Request{Name: c.Name, Arguments: c.Arguments})
	}
	results, err := s.Staging.Stage(ctx, ref, u, requests, receipt(r, wireStaged))
	if err != nil {
		return nil, err
	}
	return answered(wireStaged(results)), nil
}

func wireDiscarded(n int) api.Discarded { return api.Discarded{Commands: n} }

func wireStaged(results []staging.Result) api.Staged {
	staged := api.Staged{Effects: make([]api.Effect, 0, len(results))}
	for _, r := range results {
		e := effectOf(r.Command, r.App)
		domainEffect(&e, r)
		staged.Effects = append(staged.Effects, e)
	}
	return staged
}

func (s *Server) removeCommand(ctx context.Context, r idempotency.Request, in *commandToRemove) (*answer[api.Removed], error) {
	u, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	removed, err := s.Staging.Remove(ctx, ref, u, in.Number, receipt(r, wireRemoved))
	if err != nil {
		return nil, err
	}
	return answered(wireRemoved(removed)), nil
}

func wireRemoved(r staging.Removed) api.Removed {
	return api.Removed{Command: wireCommands([]changeset.Command{r.Command})[0], Left: r.Left, Broken: r.Broken}
}

func wireChangeset(c changeset.Changeset) api.Changeset {
	return api.Changeset{CreatedAt: c.CreatedAt, Commands: wireCommands(c.Commands)}
}

func wireCommands(commands []changeset.Command) []api.StagedCommand {
	wire := make([]api.StagedCommand, 0, len(commands))
	for _, c := range commands {
		wire = append(wire, api.StagedCommand{Name: c.Name(), Arguments: c.Arguments()})
	}
	return wire
}

// effectOf gives the values that stand once the command is committed: those that it touches.
func effectOf(c changeset.Command, a *setops.App) api.Effect {
	e := api.Effect{Name: c.App()}
	switch c := c.(type) {
	case *changeset.LogSet:
		e.LogRetention = c.Retention
	case *changeset.LogUnset:
		e.LogRetention = new(setops.DefaultLogRetention)
	}
	if a == nil {
		return e
	}
	switch c := c.(type) {
	case *changeset.ContainerSet:
		for field, touched := range map[string]bool{
			"command": c.Command != nil, "entrypoint": c.Entrypoint != nil, "health_check": c.HealthCheck != nil,
			"start_timeout": c.StartTimeout != nil, "stop_timeout": c.StopTimeout != nil,
		} {
			show(&e, a, field, touched)
		}
	case *changeset.NetworkSet:
		for field, touched := range map[string]bool{
			"protocol": c.Protocol != nil, "public": c.Public != nil, "port": c.Port != nil,
			"health_check_path": c.HealthCheckPath != nil, "health_check_status": c.HealthCheckStatus != nil,
		} {
			show(&e, a, field, touched)
		}
	case *changeset.ResourceSet:
		for field, touched := range map[string]bool{"cpu": c.CPU != nil, "memory": c.Memory != nil, "scale": c.Scale != nil} {
			show(&e, a, field, touched)
		}
	case *changeset.ContainerUnset:
		showAll(&e, a, c.Fields)
	case *changeset.NetworkUnset:
		showAll(&e, a, c.Fields)
	case *changeset.ResourceUnset:
		showAll(&e, a, c.Fields)
	case *changeset.ScheduleCreate:
		if s, there := a.Schedules[c.Schedule]; there {
			e.Schedule = new(wireSchedule(c.Schedule, s))
		}
	case *changeset.ScheduleDestroy:
		e.ScheduleDestroyed = c.Schedule
	case *changeset.EnvSet:
		e.EnvKey, e.Secret = c.Key, a.Env[c.Key].Secret
	case *changeset.EnvUnset:
		e.EnvKey = c.Key
	case *changeset.ReleaseCreate:
		e.ReleaseID, e.Digest = c.ID, c.Digest
	case *changeset.ReleaseActivate:
		e.ReleaseID = c.ID
	}
	return e
}

func showAll(e *api.Effect, a *setops.App, fields []string) {
	for _, f := range fields {
		show(e, a, f, true)
	}
}

func show(e *api.Effect, a *setops.App, field string, touched bool) {
	if !touched {
		return
	}
	switch field {
	case "command":
		e.Command = new(notNil(a.Container.Command))
	case "entrypoint":
		e.Entrypoint = new(notNil(a.Container.Entrypoint))
	case "health_check":
		e.HealthCheck, e.HealthCheckOff = wireHealthCheck(a.Container.HealthCheck), a.Container.HealthCheck == nil
	case "start_timeout":
		e.StartTimeout = new(int(a.StartDeadline() / time.Second))
	case "stop_timeout":
		e.StopTimeout = new(int(a.StopTimeout() / time.Second))
	case "cpu":
		e.CPU = new(a.Resources.CPU)
	case "memory":
		e.Memory = new(a.Resources.Memory)
	case "scale":
		e.Scale = new(a.Resources.Scale)
	case "protocol":
		e.Protocol = new(string(a.Network.Protocol))
	case "public":
		e.Public = new(a.Network.Public)
	case "port":
		e.Port = new(a.Network.Port)
	case "health_check_path":
		e.HealthPath = new(a.HealthCheckPath())
	case "health_check_status":
		e.HealthStatus = new(a.HealthCheckStatus())
	}
}
