package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// operatorOptions are the flags of the commands about organizations and their users.
type operatorOptions struct {
	dir          string
	organization string
	admin        bool
	json         bool
}

// operatorCommand makes a command that asks the server that runs in the data directory.
func operatorCommand(getenv func(string) string, cmd *cobra.Command, run func(ctx context.Context, o *operatorOptions, args []string) error, organization bool) *cobra.Command {
	var c Config
	var o operatorOptions
	var file, output string
	all := pflag.NewFlagSet("serve", pflag.ContinueOnError) // a file of settings may have any of them
	c.Flags(all)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if file == "" {
			file = getenv(Variable("config"))
		}
		if err := Fill(all, file, getenv); err != nil {
			return err
		}
		if output != "human" && output != "json" {
			return fmt.Errorf("--output %q is neither human nor json", output)
		}
		o.dir, o.json = c.DataDir, output == "json"
		if o.organization == "" {
			o.organization = c.Organization
		}
		return run(cmd.Context(), &o, args)
	}
	cmd.Flags().AddFlag(all.Lookup("data-dir"))
	cmd.Flags().StringVar(&file, "config", "", "YAML file with the settings of the server")
	cmd.Flags().StringVarP(&output, "output", "o", "human", "human or json")
	if organization {
		cmd.Flags().StringVar(&o.organization, "organization", "", "organization that is meant (default: that of the server's settings)")
	}
	if cmd.Name() == "user:invite" {
		cmd.Flags().BoolVar(&o.admin, "admin", false, "make an admin of the organization, who reads its audit log and manages its service users")
	}
	return cmd
}

// operatorCommands are what whoever runs the server does with organizations and those who belong to them.
func operatorCommands(getenv func(string) string, stdout io.Writer) []*cobra.Command {
	ask := func(ctx context.Context, o *operatorOptions, method, path string, into any) error {
		return askControl(ctx, o.dir, method, path, into)
	}
	users := func(o *operatorOptions) string { return "/organizations/" + url.PathEscape(o.organization) + "/users" }
	return []*cobra.Command{
		operatorCommand(getenv, &cobra.Command{
			Use: "organization", Short: "List the organizations of the server", Args: cobra.NoArgs, Example: "  setopsd organization",
		}, func(ctx context.Context, o *operatorOptions, _ []string) error {
			var names []string
			if err := ask(ctx, o, http.MethodGet, "/organizations", &names); err != nil {
				return err
			}
			return show(stdout, o, map[string]any{"organizations": names}, func(w io.Writer) {
				for _, name := range names {
					fmt.Fprintln(w, name)
				}
			})
		}, false),
		operatorCommand(getenv, &cobra.Command{
			Use: "organization:create NAME", Short: "Create an organization", Args: cobra.ExactArgs(1),
			Long:    "Create an organization, with nobody in it: `setopsd user:invite --organization NAME EMAIL --admin` is the next thing to do.",
			Example: "  setopsd organization:create acme",
		}, func(ctx context.Context, o *operatorOptions, args []string) error {
			var name string
			if err := ask(ctx, o, http.MethodPost, "/organizations/"+url.PathEscape(args[0]), &name); err != nil {
				return err
			}
			return show(stdout, o, map[string]any{"name": name}, func(w io.Writer) { fmt.Fprintf(w, "Created organization %s.\n", name) })
		}, false),
		operatorCommand(getenv, &cobra.Command{
			Use: "user", Short: "List who belongs to an organization", Args: cobra.NoArgs, Example: "  setopsd user --organization acme",
		}, func(ctx context.Context, o *operatorOptions, _ []string) error {
			var members []member
			if err := ask(ctx, o, http.MethodGet, users(o), &members); err != nil {
				return err
			}
			return show(stdout, o, map[string]any{"users": members}, func(w io.Writer) { showMembers(w, members) })
		}, true),
		operatorCommand(getenv, &cobra.Command{
			Use: "user:invite EMAIL", Short: "Make somebody a member of an organization", Args: cobra.ExactArgs(1),
			Long: "Make somebody a member of an organization: at once where the address has an account on this server, else by an invitation\n" +
				"that holds for 7 days, sent by e-mail where the server has --smtp, else shown as a link to hand over.",
			Example: "  setopsd user:invite grace@example.com --organization acme --admin",
		}, func(ctx context.Context, o *operatorOptions, args []string) error {
			var done admission
			path := fmt.Sprintf("%s/%s?admin=%t", users(o), url.PathEscape(args[0]), o.admin)
			if err := ask(ctx, o, http.MethodPost, path, &done); err != nil {
				return err
			}
			return show(stdout, o, done, func(w io.Writer) { showAdmission(w, o.organization, done) })
		}, true),
		operatorCommand(getenv, &cobra.Command{
			Use: "user:remove EMAIL", Short: "Take somebody out of an organization", Args: cobra.ExactArgs(1),
			Long: "Take somebody out of an organization, with all roles and invitations there. Sessions end with it, and the account is removed\n" +
				"where it belongs to no other organization. Whoever is the last admin of a project or a stage cannot be removed.",
			Example: "  setopsd user:remove grace@example.com --organization acme",
		}, func(ctx context.Context, o *operatorOptions, args []string) error {
			var gone member
			if err := ask(ctx, o, http.MethodDelete, users(o)+"/"+url.PathEscape(args[0]), &gone); err != nil {
				return err
			}
			return show(stdout, o, gone, func(w io.Writer) {
				fmt.Fprintf(w, "%s does not belong to organization %s any more.\n", gone.Email, o.organization)
			})
		}, true),
	}
}

// show prints an answer for people, or as JSON.
func show(stdout io.Writer, o *operatorOptions, answer any, human func(io.Writer)) error {
	if !o.json {
		human(stdout)
		return nil
	}
	e := json.NewEncoder(stdout)
	e.SetIndent("", "  ")
	return e.Encode(answer)
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
