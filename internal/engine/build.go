package engine

import (
	"maps"
	"slices"
	"strconv"

	"github.com/setopsco/setops/internal/setops"
)

// Repository is the name of an app's images in our registry.
func Repository(s setops.StageRef, app string) string {
	return s.Organization + "/" + s.Project + "/" + s.Name + "/" + app
}

// ContainerOf gives what tasks of an app run: its settings, the image of a release, and its environment in clear, to
// which PORT and PROTOCOL are added.
func ContainerOf(s setops.StageRef, app *setops.App, digest string, env map[string]string) Container {
	all := make([]string, 0, len(env)+2)
	for _, key := range slices.Sorted(maps.Keys(env)) {
		all = append(all, key+"="+env[key])
	}
	all = append(all, "PORT="+strconv.Itoa(app.Network.Port), "PROTOCOL="+string(app.Network.Protocol))
	return Container{
		Image:      Image{Repository: Repository(s, app.Name), Digest: digest},
		Command:    app.Container.Command,
		Entrypoint: app.Container.Entrypoint,
		Env:        all,
		CPU:        app.Resources.CPU,
		Memory:     app.Resources.Memory,
		Port:       app.Network.Port,
	}
}

// GenerationOf gives the generation of an app's active release.
func GenerationOf(s setops.StageRef, app *setops.App, id string, env map[string]string) Generation {
	release, _ := app.Release(app.ActiveRelease)
	return Generation{
		ID: id, Stage: s, App: app.Name, Release: release.ID,
		Container:    ContainerOf(s, app, release.Digest, env),
		Scale:        app.Resources.Scale,
		HealthCheck:  app.Container.HealthCheck,
		NetworkCheck: app.NetworkCheck(),
		StartTimeout: app.StartDeadline(),
		StopTimeout:  app.StopTimeout(),
	}
}

// Override is what a one-off task runs in place of what its app has. Zero values are as the app has them.
type Override struct {
	Entrypoint, Arguments []string
	CPU, Memory           int
}

// With gives the container with what o says. An entrypoint takes the place of the command too.
func (c Container) With(o Override) Container {
	if len(o.Entrypoint) > 0 {
		c.Entrypoint, c.Command = o.Entrypoint, nil
	}
	if len(o.Arguments) > 0 {
		c.Command = o.Arguments
	}
	if o.CPU > 0 {
		c.CPU = o.CPU
	}
	if o.Memory > 0 {
		c.Memory = o.Memory
	}
	return c
}

// OneOffOf gives a one-off task of a release of an app.
func OneOffOf(s setops.StageRef, app *setops.App, release setops.Release, id string, env map[string]string, o Override) OneOff {
	return OneOff{
		ID: id, Stage: s, App: app.Name, Release: release.ID, Tag: release.Tag,
		Container:   ContainerOf(s, app, release.Digest, env).With(o),
		StopTimeout: app.StopTimeout(), Limit: OneOffLimit,
	}
}
