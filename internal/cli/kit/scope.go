package kit

import (
	"fmt"
	"strings"

	"github.com/setopsco/setops/pkg/client"
)

// Organization gives the organization of the session.
func (k *Kit) Organization() (string, error) {
	c, err := k.Config()
	if err != nil {
		return "", err
	}
	if c.Organization == "" && c.Token == "" {
		return "", errSignedOut()
	}
	if c.Organization == "" {
		return "", &Failure{Message: "There is no organization.", Next: "Run `setops login`, or set SETOPS_ORGANIZATION."}
	}
	return c.Organization, nil
}

// Project gives the project in scope: the argument, else the flag, else what variables and files say.
func (k *Kit) Project(argument string) (client.ProjectRef, error) {
	c, err := k.Config()
	if err != nil {
		return client.ProjectRef{}, err
	}
	ref := client.ProjectRef{Project: first(argument, k.Flags.Project, c.Project)}
	if ref.Project == "" {
		return ref, missing("project", "-p/--project")
	}
	ref.Organization, err = k.Organization()
	k.asked.ProjectRef = ref
	return ref, err
}

// Stage gives the stage in scope, with the same order.
func (k *Kit) Stage(argument string) (client.StageRef, error) {
	project, err := k.Project("")
	if err != nil {
		return client.StageRef{}, err
	}
	c, err := k.Config()
	if err != nil {
		return client.StageRef{}, err
	}
	ref := client.StageRef{ProjectRef: project, Stage: first(argument, k.Flags.Stage, c.Stage)}
	if ref.Stage == "" {
		return ref, missing("stage", "-s/--stage")
	}
	k.asked.StageRef = ref
	return ref, nil
}

// App gives the app in scope, with the same order.
func (k *Kit) App(argument string) (client.AppRef, error) {
	stage, err := k.Stage("")
	if err != nil {
		return client.AppRef{}, err
	}
	c, err := k.Config()
	if err != nil {
		return client.AppRef{}, err
	}
	ref := client.AppRef{StageRef: stage, App: first(argument, k.Flags.App, c.App)}
	if ref.App == "" {
		return ref, missing("app", "--app")
	}
	k.asked = ref
	return ref, nil
}

// Domain gives the app in scope and its custom domain that is meant: the argument, else the flag.
func (k *Kit) Domain(argument string) (client.AppRef, string, error) {
	ref, err := k.App("")
	if err != nil {
		return ref, "", err
	}
	name := first(argument, k.Flags.Domain)
	if name == "" {
		return ref, "", &Failure{Message: "No domain is given.", Next: "Add --domain DOMAIN; `setops domain` lists those of the app."}
	}
	return ref, name, nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func missing(noun, flag string) error {
	return &Failure{
		Message: fmt.Sprintf("No %s is given.", noun),
		Next:    fmt.Sprintf("Add %s %s or set SETOPS_%s.", flag, strings.ToUpper(noun), strings.ToUpper(noun)),
	}
}
