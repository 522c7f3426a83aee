
# Where the bash-completion package is missing, these few lines stand in for what the script above needs of it.
if ! declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
    COMP_WORDBREAKS=${COMP_WORDBREAKS//[:=]/}
    _get_comp_words_by_ref() {
        cur=${COMP_WORDS[COMP_CWORD]}
        prev=${COMP_WORDS[COMP_CWORD-1]}
        words=("${COMP_WORDS[@]}")
        cword=$COMP_CWORD
    }
    __ltrim_colon_completions() { :; }
fi
