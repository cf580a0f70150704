/** What is said in English of the pictures and films of a run, which few runs have. */
export const enFilm = {
  film: {
    pictures: 'Pictures',
    picture: '{{part}} at {{time}}',
    pictureAfter: '{{part}}, {{after}} after the start',
    savePicture: 'Save {{file}}',
    recording: 'Film',
    moment: 'Moment of the film',
    saveFilm: 'Save the film of {{part}}, {{size}}',
    saveFilmTimes: 'Times of its pictures, {{part}} (CSV)',
    filmPlayers:
      'A film is a Matroska file (.mkv), in which each picture has its own time. VLC and mpv play it; browsers do not.',
    play: 'Play the film',
    pause: 'Hold the film',
    pictureBefore: 'the nearest picture is {{seconds}}\u202fs before this moment',
    pictureLater: 'the nearest picture is {{seconds}}\u202fs after this moment',
    pictureMissing: 'this picture can not be shown',
  },
}
