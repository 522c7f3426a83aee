package daemon

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// operatorOptions are the flags of the commands about organizations and their users.
type operatorOptions struct {
	dir          string
	organization string
	admin        bool
	json         bool
}

// operatorCommander makes the commands by which whoever runs the server looks after organizations and those who belong to them. They ask the
// server that runs in the data directory.
type operatorCommander struct {
	getenv func(string) string
	stdout io.Writer
}

func operatorCommands(getenv func(string) string, stdout io.Writer) []*cobra.Command {
	p := operatorCommander{getenv, stdout}
	return []*cobra.Command{p.newOrganizations(), p.newOrganization(), p.newMembers(), p.newMember(), p.newRemoval()}
}

// complete gives a command its flags and what it does.
func (p operatorCommander) complete(cmd *cobra.Command, o *operatorOptions, run func(ctx context.Context, o *operatorOptions, args []string) error) *cobra.Command {
	c, fill := withSettings(cmd, p.getenv, "data-dir")
	asJSON := withOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if err := fill(); err != nil {
			return err
		}
		if o.json, err = asJSON(); err != nil {
			return err
		}
		o.dir = c.DataDir
		if o.organization == "" {
			o.organization = c.Organization
		}
		return run(cmd.Context(), o, args)
	}
	return cmd
}

// completeInside does so for a command about those who belong to an organization.
func (p operatorCommander) completeInside(cmd *cobra.Command, o *operatorOptions, run func(ctx context.Context, o *operatorOptions, args []string) error) *cobra.Command {
	cmd.Flags().StringVar(&o.organization, "organization", "", "organization that is meant (default: that of the server's settings)")
	return p.complete(cmd, o, run)
}

func (o *operatorOptions) ask(ctx context.Context, method, path string, into any) error {
	return askControl(ctx, o.dir, method, path, into)
}

func (o *operatorOptions) users() string {
	return "/organizations/" + url.PathEscape(o.organization) + "/users"
}

func (p operatorCommander) newOrganizations() *cobra.Command {
	return p.complete(&cobra.Command{
		Use: "organization", Short: "List the organizations of the server", Args: cobra.NoArgs, Example: "  setopsd organization",
	}, &operatorOptions{}, func(ctx context.Context, o *operatorOptions, _ []string) error {
		var names []string
		if err := o.ask(ctx, http.MethodGet, "/organizations", &names); err != nil {
			return err
		}
		return show(p.stdout, o, map[string]any{"organizations": names}, func(w io.Writer) {
			for _, name := range names {
				fmt.Fprintln(w, name)
			}
		})
	})
}

func (p operatorCommander) newOrganization() *cobra.Command {
	return p.complete(&cobra.Command{
		Use: "organization:create NAME", Short: "Create an organization", Args: cobra.ExactArgs(1),
		Long:    "Create an organization, with nobody in it: `setopsd user:invite --organization NAME EMAIL --admin` is the next thing to do.",
		Example: "  setopsd organization:create acme",
	}, &operatorOptions{}, func(ctx context.Context, o *operatorOptions, args []string) error {
		var name string
		if err := o.ask(ctx, http.MethodPost, "/organizations/"+url.PathEscape(args[0]), &name); err != nil {
			return err
		}
		return show(p.stdout, o, map[string]any{"name": name}, func(w io.Writer) { fmt.Fprintf(w, "Created organization %s.\n", name) })
	})
}

func (p operatorCommander) newMembers() *cobra.Command {
	return p.completeInside(&cobra.Command{
		Use: "user", Short: "List who belongs to an organization", Args: cobra.NoArgs, Example: "  setopsd user --organization acme",
	}, &operatorOptions{}, func(ctx context.Context, o *operatorOptions, _ []string) error {
		var members []member
		if err := o.ask(ctx, http.MethodGet, o.users(), &members); err != nil {
			return err
		}
		return show(p.stdout, o, map[string]any{"users": members}, func(w io.Writer) { showMembers(w, members) })
	})
}

func (p operatorCommander) newMember() *cobra.Command {
	var o operatorOptions
	cmd := &cobra.Command{
		Use: "user:invite EMAIL", Short: "Make somebody a member of an organization", Args: cobra.ExactArgs(1),
		Long: "Make somebody a member of an organization: at once where the address has an account on this server, else by an invitation\n" +
			"that holds for 7 days, sent by e-mail where the server has --smtp, else shown as a link to hand over.",
		Example: "  setopsd user:invite grace@example.com --organization acme --admin",
	}
	cmd.Flags().BoolVar(&o.admin, "admin", false, "make an admin of the organization, who reads its audit log and manages its service users")
	return p.completeInside(cmd, &o, func(ctx context.Context, o *operatorOptions, args []string) error {
		var done admission
		path := fmt.Sprintf("%s/%s?admin=%t", o.users(), url.PathEscape(args[0]), o.admin)
		if err := o.ask(ctx, http.MethodPost, path, &done); err != nil {
			return err
		}
		return show(p.stdout, o, done, func(w io.Writer) { showAdmission(w, o.organization, done) })
	})
}

func (p operatorCommander) newRemoval() *cobra.Command {
	return p.completeInside(&cobra.Command{
		Use: "user:remove EMAIL", Short: "Take somebody out of an organization", Args: cobra.ExactArgs(1),
		Long: "Take somebody out of an organization, with all roles and invitations there. Sessions end with it, and the account is removed\n" +
			"where it belongs to no other organization. Whoever is the last admin of a project or a stage cannot be removed.",
		Example: "  setopsd user:remove grace@example.com --organization acme",
	}, &operatorOptions{}, func(ctx context.Context, o *operatorOptions, args []string) error {
		var gone member
		if err := o.ask(ctx, http.MethodDelete, o.users()+"/"+url.PathEscape(args[0]), &gone); err != nil {
			return err
		}
		return show(p.stdout, o, gone, func(w io.Writer) {
			fmt.Fprintf(w, "%s does not belong to organization %s any more.\n", gone.Email, o.organization)
		})
	})
}

// show prints an answer for people, or as JSON.
func show(stdout io.Writer, o *operatorOptions, answer any, human func(io.Writer)) error {
	if !o.json {
		human(stdout)
		return nil
	}
	return writeJSON(stdout, answer)
}

func showMembers(w io.Writer, members []member) {
	t := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	fmt.Fprintln(t, "EMAIL\tROLE\tKIND\tSTATE")
	for _, m := range members {
		kind, state := "person", "active"
		if m.ServiceUser {
			kind = "service user"
		}
		if m.Invited {
			state = "invited"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", m.Email, m.Role, kind, state)
	}
	_ = t.Flush() // of a writer that has told of its errors
}

func showAdmission(w io.Writer, organization string, a admission) {
	switch {
	case !a.Invited:
		fmt.Fprintf(w, "%s is %s of organization %s.\n", a.Email, a.Role, organization)
		return
	case a.Mailed:
		fmt.Fprintf(w, "%s was invited by e-mail.\n", a.Email)
		return
	case a.MailError != "":
		fmt.Fprintf(w, "The invitation could not be sent by e-mail: %s.\n", a.MailError)
	}
	fmt.Fprintf(w, "Hand this link over to %s. It works once, for 7 days; whoever has it can accept:\n\n   %s\n", a.Email, a.Link)
}
