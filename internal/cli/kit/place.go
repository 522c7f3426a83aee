package kit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// Place is where roles are: a stage, or a project where no stage is in scope.
type Place struct {
	client.Place
	Ref client.StageRef // Stage is empty where it is about the project
}

// String names it in a sentence.
func (p Place) String() string {
	if p.Ref.Stage == "" {
		return "project " + p.Ref.Project
	}
	return fmt.Sprintf("stage %s on project %s", p.Ref.Stage, p.Ref.Project)
}

// AtPlace gives the stage in scope or, where there is none, the project, and the client to speak about it.
func (k *Kit) AtPlace() (Place, *client.Client, error) {
	c, err := k.Config()
	if err != nil {
		return Place{}, nil, err
	}
	if first(k.Flags.Stage, c.Stage) == "" {
		ref, c, err := k.AtProject("")
		return Place{Place: ref, Ref: client.StageRef{ProjectRef: ref}}, c, err
	}
	ref, client, err := k.AtStage("")
	return Place{Place: ref, Ref: ref}, client, err
}

// AtOrganization gives the organization of the session and the client to speak about it.
func (k *Kit) AtOrganization() (client.OrganizationRef, *client.Client, error) {
	name, err := k.Organization()
	if err != nil {
		return "", nil, err
	}
	c, err := k.Client()
	return client.OrganizationRef(name), c, err
}

// HasProject says whether a project is in scope.
func (k *Kit) HasProject() (bool, error) {
	c, err := k.Config()
	return err == nil && first(k.Flags.Project, c.Project) != "", err
}

// RoleFlag declares --role.
func RoleFlag(cmd *cobra.Command, role *string) {
	*role = "member"
	cmd.Flags().Var((*roleValue)(role), "role", "`ROLE` that is given: member or admin")
	complete := cobra.FixedCompletions(roles, cobra.ShellCompDirectiveNoFileComp)
	_ = cmd.RegisterFlagCompletionFunc("role", complete) // fails only for a flag that is not there
}

var roles = []string{"member", "admin"}

// roleValue is the value of --role, of which it takes no other than there are.
type roleValue string

func (r *roleValue) Set(value string) error {
	if !slices.Contains(roles, value) {
		return errors.New("it must be member or admin")
	}
	*r = roleValue(value)
	return nil
}

func (r *roleValue) String() string { return string(*r) }

// Type is that of a flag with text, so that help shows its default as it shows others.
func (r *roleValue) Type() string { return "string" }
