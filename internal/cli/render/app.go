package render

import (
	"fmt"
	"io"

	"github.com/setopsco/setops/pkg/api"
)

// App prints all of an app: its settings, then what runs.
func App(w io.Writer, a api.App) error {
	for _, part := range []func(io.Writer, api.App) error{appSettings, appResources, appEnv, appDomains, appRelease} {
		if err := part(w, a); err != nil {
			return err
		}
	}
	return Status(w, a.Status)
}

func appSettings(w io.Writer, a api.App) error {
	return new(Block).Add("Name", a.Name).
		Add("Command", OneLine(Words(a.Container.Command))).
		Add("Scale", a.Resources.Scale).
		Add("Protocol", a.Network.Protocol).
		Add("Private", !a.Network.Public).
		Nest("Health Check", HealthCheck(a.Container.HealthCheck)).
		Write(w)
}

func appResources(w io.Writer, a api.App) error {
	if _, err := fmt.Fprintln(w, "Resources:"); err != nil {
		return err
	}
	return new(Block).Add("CPU", a.Resources.CPU).Add("Memory", a.Resources.Memory).WriteItems(w)
}

func appEnv(w io.Writer, a api.App) error {
	if _, err := fmt.Fprintln(w, "ENVs:"); err != nil {
		return err
	}
	return EnvColumns(w, a.Env)
}

func appDomains(w io.Writer, a api.App) error {
	if _, err := fmt.Fprintln(w, "CustomDomains:"); err != nil {
		return err
	}
	return CustomDomains(w, a.Domains)
}

// appRelease has one blank where other values have three: scripts know it so.
func appRelease(w io.Writer, a api.App) error {
	_, err := fmt.Fprintf(w, "Active Release: %s\n\n", Number(a.ActiveRelease))
	return err
}
