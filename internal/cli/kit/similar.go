package kit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
	"github.com/spf13/cobra"
)

// Similar gives the first of names that one may be a slip of; empty if none is.
func Similar(names []string, one string) string {
	return first(similar(names, one)...)
}

// similar gives all of them. Cobra knows how far two words are apart.
func similar(names []string, one string) []string {
	asked := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, name := range names {
		asked.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	}
	return asked.SuggestionsFor(one)
}

// DidYouMean asks about commands that are spelled nearly like name; it is empty where there are none.
func DidYouMean(root *cobra.Command, name string) string {
	return didYouMean(root.Name()+" ", root.SuggestionsFor(name))
}

// didYouMean asks about words, each written behind lead.
func didYouMean(lead string, words []string) string {
	if len(words) == 0 {
		return ""
	}
	return fmt.Sprintf("Did you mean `%s%s`?", lead, strings.Join(words, "` or `"+lead))
}

// WithSimilarNames adds to an error that says that a project, a stage or an app does not exist which ones with a similar name do.
// It asks the server once, not for long, and leaves the error as it is where that does not help.
func (k *Kit) WithSimilarNames(ctx context.Context, err error) error {
	var refused *api.ServiceError
	if !errors.As(err, &refused) {
		return err
	}
	c, clientErr := k.Client()
	if clientErr != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	word, names := k.namesLike(ctx, c, refused)
	next := didYouMean("", similar(names, word))
	if next == "" {
		return err
	}
	return &Failure{Message: Sentence(err.Error()), Next: next, Err: err}
}

// namesLike gives the name that was looked for, and those that are there.
func (k *Kit) namesLike(ctx context.Context, c *client.Client, refused *api.ServiceError) (word string, names []string) {
	at := k.asked
	switch {
	case refused.HasCode("ProjectDoesNotExist"):
		word = at.Project
		names, _ = projectNames(ctx, c, at.Organization)
	case refused.HasCode("StageDoesNotExist"):
		word = at.Stage
		names, _ = stageNames(ctx, c, at.ProjectRef)
	case refused.HasCode("AppDoesNotExist"):
		word = at.App
		names, _ = appNames(ctx, c, at.StageRef)
	}
	return word, names
}

func projectNames(ctx context.Context, c *client.Client, organization string) ([]string, error) {
	projects, err := c.Projects(ctx, organization)
	names := make([]string, 0, len(projects))
	for _, p := range projects {
		names = append(names, p.Name)
	}
	return names, err
}

func stageNames(ctx context.Context, c *client.Client, ref client.ProjectRef) ([]string, error) {
	stages, err := c.Stages(ctx, ref)
	names := make([]string, 0, len(stages))
	for _, s := range stages {
		names = append(names, s.Name)
	}
	return names, err
}

func appNames(ctx context.Context, c *client.Client, ref client.StageRef) ([]string, error) {
	apps, err := c.Apps(ctx, ref)
	names := make([]string, 0, len(apps))
	for _, a := range apps {
		names = append(names, a.Name)
	}
	return names, err
}
