package httpapi

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/setopsco/setops/internal/app"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

type appList struct {
	Apps []api.AppName `json:"apps"`
}

type releaseList struct {
	Releases []api.Release `json:"releases"`
}

func (s *Server) listApps(ctx context.Context, in *InStage) (*answer[appList], error) {
	_, ref, err := s.stage(ctx, *in)
	if err != nil {
		return nil, err
	}
	names, err := s.Apps.Names(ctx, ref)
	list := appList{Apps: make([]api.AppName, 0, len(names))}
	for _, name := range names {
		list.Apps = append(list.Apps, api.AppName{Name: name})
	}
	return answered(list), err
}

func (s *Server) showApp(ctx context.Context, in *InApp) (*answer[api.App], error) {
	_, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	info, err := s.Apps.Info(ctx, ref, in.App)
	if err != nil {
		return nil, err
	}
	return answered(wireApp(info)), nil
}

func (s *Server) showStatus(ctx context.Context, in *InApp) (*answer[api.AppStatus], error) {
	_, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	a, status, err := s.Apps.Status(ctx, ref, in.App)
	if err != nil {
		return nil, err
	}
	return answered(wireStatus(a, status)), nil
}

func (s *Server) listReleases(ctx context.Context, in *InApp) (*answer[releaseList], error) {
	_, _, a, err := s.app(ctx, *in)
	if err != nil {
		return nil, err
	}
	list := releaseList{Releases: make([]api.Release, 0, len(a.Releases))}
	for _, r := range a.Releases {
		list.Releases = append(list.Releases, api.Release{
			ID: r.ID, Digest: r.Digest, Tag: r.Tag, CreatedAt: r.CreatedAt, CreatedBy: r.CreatedBy,
			Active: r.ID == a.ActiveRelease, ActivatedAt: instant(r.ActivatedAt), ActivatedBy: r.ActivatedBy,
		})
	}
	return answered(list), nil
}

func wireApp(info app.Info) api.App {
	a := info.App
	wire := api.App{
		Name: a.Name,
		Container: api.Container{
			Command: notNil(a.Container.Command), Entrypoint: notNil(a.Container.Entrypoint),
			HealthCheck:  wireHealthCheck(a.Container.HealthCheck),
			StartTimeout: int(a.StartDeadline() / time.Second), StopTimeout: int(a.StopTimeout() / time.Second),
		},
		Resources:     api.Resources{CPU: a.Resources.CPU, Memory: a.Resources.Memory, Scale: a.Resources.Scale},
		Network:       api.Network{Protocol: string(a.Network.Protocol), Public: a.Network.Public, Port: a.Network.Port},
		Env:           make([]api.EnvVar, 0, len(a.Env)),
		Domains:       wireCustomDomains(a),
		ActiveRelease: a.ActiveRelease,
		Status:        wireStatus(a, info.Status),
	}
	if c := a.NetworkCheck(); c != nil {
		wire.Network.HealthCheck = &api.NetworkHealthCheck{Path: c.Path, Status: c.Status}
	}
	for _, key := range slices.Sorted(maps.Keys(a.Env)) {
		v := api.EnvVar{Key: key, Description: a.Env[key].Description, Secret: a.Env[key].Secret}
		if value, shown := info.Env[key]; shown {
			v.Value = &value
		}
		wire.Env = append(wire.Env, v)
	}
	return wire
}

func wireHealthCheck(h *setops.HealthCheck) *api.HealthCheck {
	if h == nil {
		return nil
	}
	return &api.HealthCheck{Command: h.Command, Interval: h.Interval, Timeout: h.Timeout, Retries: h.Retries, StartPeriod: h.StartPeriod}
}

func wireStatus(a *setops.App, s app.Status) api.AppStatus {
	return api.AppStatus{State: "ACTIVE", Running: s.Running, Desired: s.Desired, Pending: s.Pending, Tasks: wireTasks(a, s.Tasks)}
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
