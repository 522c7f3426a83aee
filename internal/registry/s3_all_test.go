package registry_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// allOnS3 is the test in which start serves from a bucket.
const allOnS3 = "TestTheSameOnS3"

// TestTheSameOnS3 runs the tests of this package once more, on a bucket.
func TestTheSameOnS3(t *testing.T) {
	for _, again := range sameOnS3 {
		t.Run(again.name, again.test)
	}
}

var sameOnS3 = []struct {
	name string
	test func(*testing.T)
}{
	{"ABadManifestIsTheClientsFault", TestABadManifestIsTheClientsFault},
	{"ABadPartOfALayerIsTheClientsFault", TestABadPartOfALayerIsTheClientsFault},
	{"ABlobIsMountedFromAnotherRepository", TestABlobIsMountedFromAnotherRepository},
	{"ABlobStaysAsLongAsOneRepositoryNeedsIt", TestABlobStaysAsLongAsOneRepositoryNeedsIt},
	{"ABlobThatAClientWasToldOfWaitsForItsManifest", TestABlobThatAClientWasToldOfWaitsForItsManifest},
	{"ACollectionThatEndsHalfWayIsFinishedByTheNext", TestACollectionThatEndsHalfWayIsFinishedByTheNext},
	{"ACondemnedImageIsAnsweredAsIfItWereGoneAndComesBackWhenItIsNamed", TestACondemnedImageIsAnsweredAsIfItWereGoneAndComesBackWhenItIsNamed},
	{"ACondemnedImageThatIsPushedAgainStays", TestACondemnedImageThatIsPushedAgainStays},
	{"AConfigTooLargeToKeepIsRefused", TestAConfigTooLargeToKeepIsRefused},
	{"ADockerImageResolvesToo", TestADockerImageResolvesToo},
	{"ADryRunTellsTheSameAndRemovesNothing", TestADryRunTellsTheSameAndRemovesNothing},
	{"AFaultWhileSigningInIsNoWrongPassword", TestAFaultWhileSigningInIsNoWrongPassword},
	{"ALayerAboveTheLimitIsRefusedWithASentence", TestALayerAboveTheLimitIsRefusedWithASentence},
	{"ALayerAtTheLimitIsTaken", TestALayerAtTheLimitIsTaken},
	{"ALinkToABlobThatIsGoneIsNoObstacle", TestALinkToABlobThatIsGoneIsNoObstacle},
	{"AManifestAboveFourMebibytesIsRefused", TestAManifestAboveFourMebibytesIsRefused},
	{"AManifestComesAsItWasPushed", TestAManifestComesAsItWasPushed},
	{"AManifestMayNameForeignLayers", TestAManifestMayNameForeignLayers},
	{"AManifestThatCannotBeReadEndsTheCollection", TestAManifestThatCannotBeReadEndsTheCollection},
	{"AMountHiddenInTheBodyIsNotSeen", TestAMountHiddenInTheBodyIsNotSeen},
	{"AMountWithoutTheRightToPullBecomesAnUpload", TestAMountWithoutTheRightToPullBecomesAnUpload},
	{"APlaceBelongsToTheInstallationThatWasThereFirst", TestAPlaceBelongsToTheInstallationThatWasThereFirst},
	{"APushChecksThePasswordOnce", TestAPushChecksThePasswordOnce},
	{"APushIsLoggedWithItsUserAndDigest", TestAPushIsLoggedWithItsUserAndDigest},
	{"APushToAnAppThatDoesNotExistSaysSo", TestAPushToAnAppThatDoesNotExistSaysSo},
	{"APushUnderWayIsStoppedWhenItsRepositoryIsRemoved", TestAPushUnderWayIsStoppedWhenItsRepositoryIsRemoved},
	{"APushedImageIsPulledByTagAndByDigest", TestAPushedImageIsPulledByTagAndByDigest},
	{"ARemovedRepositoryStartsEmptyAgain", TestARemovedRepositoryStartsEmptyAgain},
	{"ARepositoryThatHoldsNothingVanishes", TestARepositoryThatHoldsNothingVanishes},
	{"ARightIsAskedForOnEveryRequest", TestARightIsAskedForOnEveryRequest},
	{"ATagNamesTheImageThatItWasPushedWithLast", TestATagNamesTheImageThatItWasPushedWithLast},
	{"ATagThatHasMovedOnStaysWhenItsOldImageGoes", TestATagThatHasMovedOnStaysWhenItsOldImageGoes},
	{"AWrongDigestIsNotStored", TestAWrongDigestIsNotStored},
	{"AWrongPasswordIsRefused", TestAWrongPasswordIsRefused},
	{"AbandonedUploadsArePurgedAndOthersKept", TestAbandonedUploadsArePurgedAndOthersKept},
	{"AnAnnouncedLayerAboveTheLimitIsRefusedBeforeItIsSent", TestAnAnnouncedLayerAboveTheLimitIsRefusedBeforeItIsSent},
	{"AnArtifactIsNoImage", TestAnArtifactIsNoImage},
	{"AnImageForAnotherMachineSaysForWhich", TestAnImageForAnotherMachineSaysForWhich},
	{"AnImageResolvesToItself", TestAnImageResolvesToItself},
	{"AnImageThatNamesNoPlatformIsTaken", TestAnImageThatNamesNoPlatformIsTaken},
	{"AnImageThatSomebodyWasToldOfStays", TestAnImageThatSomebodyWasToldOfStays},
	{"AnImageThatWasJustPushedIsThereForEverybody", TestAnImageThatWasJustPushedIsThereForEverybody},
	{"AnIndexKeepsItsImages", TestAnIndexKeepsItsImages},
	{"AnIndexMayLeadToAnother", TestAnIndexMayLeadToAnother},
	{"AnIndexPushedForItsCondemnedImageKeepsIt", TestAnIndexPushedForItsCondemnedImageKeepsIt},
	{"AnIndexResolvesToThePlatformOfTheMachine", TestAnIndexResolvesToThePlatformOfTheMachine},
	{"AnIndexThatSomebodyWasToldOfStaysWhole", TestAnIndexThatSomebodyWasToldOfStaysWhole},
	{"AnIndexWithoutPlatformsIsLookedInto", TestAnIndexWithoutPlatformsIsLookedInto},
	{"AnOldImageThatNothingNamesIsCollectedWithItsTags", TestAnOldImageThatNothingNamesIsCollectedWithItsTags},
	{"AnUploadGoesOnAfterARestart", TestAnUploadGoesOnAfterARestart},
	{"AnUploadNameThatLeadsElsewhereIsHarmless", TestAnUploadNameThatLeadsElsewhereIsHarmless},
	{"BasicCredentialsAreRememberedForAWhile", TestBasicCredentialsAreRememberedForAWhile},
	{"BehindAProxyTheChallengeNamesTheExternalURL", TestBehindAProxyTheChallengeNamesTheExternalURL},
	{"ChunksTogetherMayNotExceedTheLimit", TestChunksTogetherMayNotExceedTheLimit},
	{"CredentialsOfAnUnknownFormAreNotTakenForNone", TestCredentialsOfAnUnknownFormAreNotTakenForNone},
	{"DockerLoginIsAnsweredForGoodAndBadCredentials", TestDockerLoginIsAnsweredForGoodAndBadCredentials},
	{"EveryWayToSignInCanPush", TestEveryWayToSignInCanPush},
	{"MalformedDigestsAndNamesAreToldApart", TestMalformedDigestsAndNamesAreToldApart},
	{"ManifestsAreDeletedWithTheRightTo", TestManifestsAreDeletedWithTheRightTo},
	{"ManyPushAtOnce", TestManyPushAtOnce},
	{"OfSeveralVariantsTheOneThatEveryMachineRunsIsTaken", TestOfSeveralVariantsTheOneThatEveryMachineRunsIsTaken},
	{"OnlyWhatIsNamedCanBeRemoved", TestOnlyWhatIsNamedCanBeRemoved},
	{"OtherAddressesAreNotFound", TestOtherAddressesAreNotFound},
	{"PushesWhileTheRegistryIsCollectedLoseNothing", TestPushesWhileTheRegistryIsCollectedLoseNothing},
	{"RemovingAProjectRemovesItsRepositoriesOnly", TestRemovingAProjectRemovesItsRepositoriesOnly},
	{"RemovingNothingIsNoError", TestRemovingNothingIsNoError},
	{"RepositoriesAreNotListed", TestRepositoriesAreNotListed},
	{"RepositoriesHaveFourParts", TestRepositoriesHaveFourParts},
	{"TheLastPartOfALayerIsTakenWhateverItsTypeIs", TestTheLastPartOfALayerIsTakenWhateverItsTypeIs},
	{"TheTagsOfADigestAreTheOnesThatNameItNow", TestTheTagsOfADigestAreTheOnesThatNameItNow},
	{"ThrottledSignInsAreToldHowLongToWait", TestThrottledSignInsAreToldHowLongToWait},
	{"TokensAreGivenForThePasswordForm", TestTokensAreGivenForThePasswordForm},
	{"WhatIsNotInTheRepositoryIsNotFound", TestWhatIsNotInTheRepositoryIsNotFound},
	{"WhatIsYoungIsKept", TestWhatIsYoungIsKept},
	{"WhatWasPushedAboutAnImageStaysWithIt", TestWhatWasPushedAboutAnImageStaysWithIt},
	{"WithoutCredentialsTheClientIsToldWhereToGetAToken", TestWithoutCredentialsTheClientIsToldWhereToGetAToken},
}

// elsewhere are tests that have nothing to do with where images are kept, or with one place alone.
var elsewhere = map[string]bool{
	"NothingIsWrittenToTheTerminal":              true,
	"NoGoroutineIsLeftAfterClose":                true,
	"AnIncompleteConfigurationIsRefused":         true,
	"SeveralRegistriesLiveInOneProcess":          true,
	"AFullDiskIsNoObstacle":                      true,
	"AFullDiskIsToldToTheClientAndLeavesNothing": true,
	"WhatTheDiskDidNotTakeIsNotReportedAsStored": true,
	"AStorageFaultIsAnErrorWithoutFileNames":     true,
}

func TestEveryTestRunsOnS3Too(t *testing.T) {
	listed := map[string]bool{}
	for _, again := range sameOnS3 {
		listed[again.name] = true
	}
	for _, file := range parsed(t) {
		for _, d := range file.Decls {
			f, is := d.(*ast.FuncDecl)
			if name, found := strings.CutPrefix(nameOf(f, is), "Test"); found && !listed[name] && !elsewhere[name] {
				t.Errorf("%s is not in sameOnS3", name)
			}
		}
	}
}

func nameOf(f *ast.FuncDecl, is bool) string {
	if !is || f.Recv != nil {
		return ""
	}
	return f.Name.Name
}

// parsed are the files with tests of this package, but for those about S3.
func parsed(t *testing.T) (all []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if file.Name.Name == "registry_test" && !strings.HasPrefix(path, "s3_") {
			all = append(all, file)
		}
	}
	return all
}
