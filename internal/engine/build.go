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
