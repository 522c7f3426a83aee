package kit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
	return best(asked.SuggestionsFor(one), one)
}

// DidYouMean asks about commands that are spelled nearly like name, those first that fit the words behind it; it is empty where
// there are none.
func DidYouMean(root *cobra.Command, name string, behind ...string) string {
	typed := strings.Join(append([]string{name}, behind...), ":")
	return didYouMean(root.Name()+" ", best(root.SuggestionsFor(name), typed))
}

// proposalsMax is how many names a question is about: of more than that, nobody reads which.
const proposalsMax = 3

// best gives the names that are nearest to what was typed, the nearest first.
func best(names []string, typed string) []string {
	apart := map[string]int{}
	for _, name := range names {
		apart[name] = distance(name, typed)
	}
	nearest := slices.Clone(names)
	slices.SortStableFunc(nearest, func(a, b string) int { return cmp.Compare(apart[a], apart[b]) })
	far := slices.IndexFunc(nearest, func(name string) bool { return apart[name] > apart[nearest[0]]+1 })
	if far >= 0 {
		nearest = nearest[:far]
	}
	return nearest[:min(len(nearest), proposalsMax)]
}

// distance is how many letters two words are apart, as cobra counts them; of the beginning of a word it does not.
func distance(name, typed string) int {
	if strings.HasPrefix(strings.ToLower(name), strings.ToLower(typed)) {
		return len(name) - len(typed)
	}
	apart := 0
	for !suggests(name, typed, apart) {
		apart++
	}
	return apart
}

func suggests(name, typed string, atMost int) bool {
	asked := &cobra.Command{SuggestionsMinimumDistance: atMost}
	asked.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	return len(asked.SuggestionsFor(typed)) > 0
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
	ctx, cancel := context.WithTimeout(ctx, CompletionTime)
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
