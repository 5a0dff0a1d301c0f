//! What a bot tells in Two truths: three statements about itself, the last of them the lie, in the languages that the page has.

use visavis_games::words::Language;

const ENGLISH: [[&str; 3]; 5] = [
    ["I know how to draw a cat.", "I look for fives before I place a stone.", "I have eaten a whole pineapple."],
    ["My pictures come from a file.", "I never agree to a game that you did not wish for.", "I grew up near the sea."],
    ["I wait a moment before I answer.", "I can say every word of a list by heart.", "I sing in a choir on Tuesdays."],
    ["I have met the same person many times today.", "My microphone is always silent.", "I broke my arm when I was nine."],
    ["I draw the head first and the feet last.", "I like to play the same game again.", "I have two older sisters."],
];

const CHINESE: [[&str; 3]; 4] = [
    ["我会画猫。", "落子之前，我总先看有没有五连。", "我一个人吃完过一整个菠萝。"],
    ["我的画面来自一个文件。", "我的麦克风一直没有声音。", "我是在海边长大的。"],
    ["我回答之前总要等一会儿。", "词表里的词我全背得出来。", "每个星期二我都去合唱团唱歌。"],
    ["画人的时候，我先画头，最后画脚。", "我喜欢把同一个游戏再玩一遍。", "我有两个姐姐。"],
];

pub fn sets(language: Option<Language>) -> &'static [[&'static str; 3]] {
    if language == Some(Language::Zh) { &CHINESE } else { &ENGLISH }
}
