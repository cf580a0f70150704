import type { enFilm } from './en-film.ts'
import type { Texts } from './texts.ts'

/** What en-film.ts says, in Spanish. */
export const esFilm: Texts<typeof enFilm> = {
  film: {
    pictures: 'Fotos',
    picture: '{{part}} a las {{time}}',
    pictureAfter: '{{part}}, {{after}} tras el comienzo',
    savePicture: 'Guardar {{file}}',
    recording: 'Vídeo',
    moment: 'Momento del vídeo',
    saveFilm: 'Guardar el vídeo de {{part}}, {{size}}',
    saveFilmTimes: 'Tiempos de sus fotos, {{part}} (CSV)',
    filmPlayers:
      'Un vídeo es un archivo Matroska (.mkv), en el que cada foto tiene su propio tiempo. VLC y mpv lo reproducen; los navegadores, no.',
    play: 'Reproducir el vídeo',
    pause: 'Detener el vídeo',
    pictureBefore: 'la imagen más cercana es de {{seconds}}\u202fs antes de este momento',
    pictureLater: 'la imagen más cercana es de {{seconds}}\u202fs después de este momento',
    pictureMissing: 'esta imagen no se puede mostrar',
  },
}
